// Finds any of many patterns in one pass over a text (Aho and Corasick, 1975), however many they are and however they overlap.

/** A beginning of one or more patterns. */
export interface Beginning {
  /** Its length. */
  readonly length: number;
  readonly next: ReadonlyMap<string, Beginning>;
  /** Whether it is a whole pattern. */
  readonly whole: boolean;
}

interface Node extends Beginning {
  readonly next: Map<string, Node>;
  whole: boolean;
  /** The longest beginning that this one ends with; `null`: none but the empty one. */
  shorter: Node | null;
  /** The longest whole pattern that it ends with; 0: none. */
  found: number;
}

/** From one offset of a text up to another. */
export type Span = readonly [from: number, to: number];

export interface PatternSearch {
  /** Where patterns stand in a text, and with which beginnings it ends, the longest first. */
  readonly in: (text: string) => { readonly spans: Span[]; readonly beginnings: Beginning[] };
}

const node = (length: number): Node => ({ length, next: new Map(), whole: false, shorter: null, found: 0 });

function treeOf(patterns: Iterable<string>): Node {
  const root = node(0);
  for (const pattern of patterns) {
    let at = root;
    for (const unit of pattern.split('')) {
      const next = at.next.get(unit) ?? node(at.length + 1);
      at.next.set(unit, next);
      at = next;
    }
    at.whole = true;
  }
  return root;
}

/** The beginning that a text ends with once this character follows `from`. */
function after(root: Node, from: Node, unit: string): Node {
  let at: Node | null = from;
  while (at !== null) {
    const next = at.next.get(unit);
    if (next !== undefined) return next;
    at = at === root ? null : (at.shorter ?? root);
  }
  return root;
}

/** None of the patterns may be empty. */
export function createPatternSearch(patterns: Iterable<string>): PatternSearch {
  const root = treeOf(patterns);
  const queue = [root];
  for (const parent of queue) {
    for (const [unit, child] of parent.next) {
      const shorter = parent === root ? root : after(root, parent.shorter ?? root, unit);
      child.shorter = shorter === root ? null : shorter;
      child.found = child.whole ? child.length : shorter.found;
      queue.push(child);
    }
  }
  return {
    in(text) {
      const spans: Span[] = [];
      let at = root;
      for (let index = 0; index < text.length; index += 1) {
        at = after(root, at, text.charAt(index));
        if (at.found > 0) spans.push([index + 1 - at.found, index + 1]);
      }
      const beginnings: Beginning[] = [];
      for (let each: Node | null = at; each !== null && each !== root; each = each.shorter) {
        if (each.next.size > 0) beginnings.push(each);
      }
      return { spans, beginnings };
    },
  };
}
