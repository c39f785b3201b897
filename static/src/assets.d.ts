/** Style sheets imported by a script: esbuild writes them beside its bundle. */
declare module '*.css';
/** A BPMN file as text. */
declare module '*.bpmn' {
  const text: string;
  export default text;
}
/** These come without types. */
declare module 'bpmn-moddle' {
  export const BpmnModdle: unknown;
}
declare module 'bpmn-auto-layout' {
  export function layoutProcess(xml: string): Promise<string>;
}
