/**
 * What the user is pressing, by pointer or space bar. An element must not be replaced while it is pressed, or its click is lost: who
 * replaces elements asks here, and waits. Drawing itself is in `dom.ts`.
 */

let pressed: Node | undefined;
const waiting = new Map<Node, () => void>();

function press(event: Event): void {
  pressed = event.target as Node;
}

function release(): void {
  if (!pressed) return;
  pressed = undefined;
  // The click follows the release in the same task.
  setTimeout(() => {
    if (pressed) return;
    const runs = [...waiting.values()];
    waiting.clear();
    runs.forEach((run) => run());
  });
}

document.addEventListener('pointerdown', press, true);
document.addEventListener('keydown', (event) => event.key === ' ' && press(event), true);
['pointerup', 'pointercancel', 'keyup', 'dragend'].forEach((end) => document.addEventListener(end, release, true));
// A press may end where the page does not learn of it: on a scrollbar, or outside of the window.
document.addEventListener('pointermove', ({ buttons }) => buttons === 0 && release(), true);
addEventListener('blur', release);

/**
 * Runs what replaces the content of `root`: at once, or after the release and its click if the user presses something in it that is not
 * in one of the elements `kept`. A later call for the same root replaces one that waits.
 */
export function whenReleased(root: Node, run: () => void, kept: readonly Node[] = []): void {
  const inside = (node: Node) => pressed !== undefined && node.contains(pressed);
  if (inside(root) && !kept.some(inside)) {
    waiting.set(root, run);
    return;
  }
  waiting.delete(root);
  run();
}
