import type { ActiveNode } from '@stepwire/client';

/** The iterations of loops in which an element is, the outermost first; empty outside of loops. */
function numbersOf(element: string, nodes: readonly ActiveNode[]): number[] {
  const numbers: number[] = [];
  for (let at: string | undefined = element; at; ) {
    const node = nodes.find((one) => one.element === at);
    if (node?.loopCounter !== undefined) numbers.unshift(node.loopCounter);
    at = node?.scope;
  }
  return numbers;
}

/** The same in words. */
export function iterationOf(element: string, nodes: readonly ActiveNode[]): string {
  const numbers = numbersOf(element, nodes);
  return numbers.length > 0 ? `iteration ${numbers.join('.')}` : '';
}

/** The same as a member of a scenario's step. */
export function iterationStep(element: string, nodes: readonly ActiveNode[]): { iteration?: number | number[] } {
  const numbers = numbersOf(element, nodes);
  const [first, ...inner] = numbers;
  if (first === undefined) return {};
  return { iteration: inner.length > 0 ? numbers : first };
}
