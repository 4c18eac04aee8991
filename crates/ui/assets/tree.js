// A trace as a tree, without a page: parents, order, depth, and what is wrong with it. Spans may come in any order,
// twice, without their parent, or in a ring; each is shown exactly once all the same.

/** Gives back {rows: [{span, depth, childCount, orphan}…] in reading order, missing: parents that did not come}. */
export function spanTree(spans) {
  const byId = new Map();
  for (const span of spans) if (!byId.has(span.span_id)) byId.set(span.span_id, span);
  const children = new Map();
  const roots = [];
  const missing = new Set();
  for (const span of byId.values()) {
    if (!span.parent_id) roots.push(span);
    else if (byId.has(span.parent_id)) {
      const siblings = children.get(span.parent_id);
      if (siblings) siblings.push(span);
      else children.set(span.parent_id, [span]);
    }
    else { roots.push(span); missing.add(span.parent_id); }
  }
  const byStart = (a, b) => a.start_ns - b.start_ns || String(a.span_id).localeCompare(String(b.span_id));
  const rows = [];
  const seen = new Set();
  const walk = (top) => {
    const stack = [[top, 0]];
    while (stack.length) {
      const [span, depth] = stack.pop();
      if (seen.has(span.span_id)) continue;
      seen.add(span.span_id);
      const below = (children.get(span.span_id) ?? []).sort(byStart);
      rows.push({ span, depth, childCount: below.length, orphan: Boolean(span.parent_id) && !byId.has(span.parent_id) });
      for (let idx = below.length - 1; idx >= 0; idx -= 1) stack.push([below[idx], depth + 1]);
    }
  };
  // The real root first, whatever the clocks of the machines said.
  roots.sort((a, b) => Boolean(a.parent_id) - Boolean(b.parent_id) || byStart(a, b)).forEach(walk);
  // What is left hangs in a ring of parents.
  for (const span of [...byId.values()].sort(byStart)) if (!seen.has(span.span_id)) walk(span);
  return { rows, missing };
}

/** The rows that remain when those in `collapsed` (span ids) hide what is below them. */
export function visibleRows(rows, collapsed) {
  const result = [];
  let hiddenBelow = Infinity;
  for (const row of rows) {
    if (row.depth > hiddenBelow) continue;
    hiddenBelow = Infinity;
    result.push(row);
    if (collapsed.has(row.span.span_id)) hiddenBelow = row.depth;
  }
  return result;
}

/** The index of the row whose span holds the given one; -1 for a root. */
export function parentIdx(rows, idx) {
  for (let above = idx - 1; above >= 0; above -= 1) if (rows[above].depth < rows[idx].depth) return above;
  return -1;
}
