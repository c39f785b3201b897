import type { ActiveNode } from '@stepwire/client';

/** The iterations of loops in which an element is, the outermost first, in words; empty outside of loops. */
export function iterationOf(element: string, nodes: readonly ActiveNode[]): string {
  const numbers: number[] = [];
  for (let at: string | undefined = element; at; ) {
    const node = nodes.find((one) => one.element === at);
    if (node?.loopCounter !== undefined) numbers.unshift(node.loopCounter);
    at = node?.scope;
  }
  return numbers.length > 0 ? `iteration ${numbers.join('.')}` : '';
}
