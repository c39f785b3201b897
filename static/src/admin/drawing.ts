/** A version of a process as a drawing: one without a diagram, or in JSON form, is laid out automatically. */

/** BPMN XML with a diagram, of the version at this path of the HTTP interface, deployed in this format. */
export async function drawingOf(path: string, format: string): Promise<string> {
  const accept = format === 'bpmn' ? 'application/xml' : 'application/json';
  const response = await fetch(path, { headers: { accept }, credentials: 'same-origin' });
  if (!response.ok) throw new Error(`expected the definition at ${path}, but the server answered ${response.status}`);
  const text = await response.text();
  if (/<(\w+:)?BPMNShape\b/.test(text)) return text;
  // Loaded only when needed: most models have a diagram, and the layout is large.
  const { withDiagram } = await import('../designer/layout.js');
  if (format === 'bpmn') return withDiagram(text);
  const { bpmnOf } = await import('../designer/json-form.js');
  return withDiagram(await bpmnOf(text));
}
