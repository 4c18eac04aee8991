// The waterfall: one row a span, only those in sight drawn. Arrow keys and j/k walk, left and right fold.

import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { duration } from "../util/format";
import { colourKey, type Node, sinceMs, type Tree } from "./model";

const ROW = 28;

interface Props {
  tree: Tree;
  rows: Node[];
  chosen: Node | null;
  choose: (node: Node) => void;
  folded: ReadonlySet<Node>;
  fold: (node: Node) => void;
  hue: Map<string, number>;
  colourBy: string;
  found: ReadonlySet<Node>;
  critical: ReadonlySet<Node> | null;
  /** What part of the trace is shown, as shares of it. */
  zoom: [number, number];
}

export function Waterfall({ tree, rows, chosen, choose, folded, fold, hue, colourBy, found, critical, zoom }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 });
  const [from, to] = zoom;
  const total = Math.max(tree.durationMs, 1e-6);
  const place = (ms: number) => ((ms / total - from) / (to - from)) * 100;
  const at = chosen ? rows.indexOf(chosen) : -1;

  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at]); // eslint-disable-line

  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 15, PageUp: -15 }[event.key];
    if (step !== undefined) {
      const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
      if (next) choose(next);
    } else if (event.key === "Home" && rows[0]) choose(rows[0]);
    else if (event.key === "End" && rows.length) choose(rows[rows.length - 1]!);
    else if (chosen && event.key === "ArrowLeft" && chosen.children.length && !folded.has(chosen)) fold(chosen);
    else if (chosen && event.key === "ArrowRight" && folded.has(chosen)) fold(chosen);
    else return;
    event.preventDefault();
  };
  const ticks = [0, 0.25, 0.5, 0.75].map((share) => from + (to - from) * share);
  return (
    <div className="waterfall-frame">
      <div className="span-row scale" aria-hidden="true">
        <span className="span-name">Span</span>
        <span className="span-time">
          {ticks.map((share, index) => (
            <span key={index} className="tick" style={{ left: `${index * 25}%` }}>{duration(share * total)}</span>
          ))}
        </span>
      </div>
      <div ref={scroller} className="waterfall" role="tree" aria-label={`${rows.length} spans`} tabIndex={0} onKeyDown={press} aria-activedescendant={chosen ? `span-${chosen.index}` : undefined}>
        <div className="rows-all" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const node = rows[item.index];
            if (!node) return null;
            const left = place(node.startMs);
            const right = place(node.startMs + Math.max(0, node.durationMs));
            const text = node.running ? "still running" : duration(node.durationMs);
            const dim = critical && !critical.has(node);
            const classes = ["span-row", node === chosen ? "chosen" : "", node.failed ? "error" : "", found.has(node) ? "found" : "", dim ? "dimmed" : ""].join(" ");
            return (
              <div
                key={node.index}
                id={`span-${node.index}`}
                className={classes}
                role="treeitem"
                aria-selected={node === chosen}
                aria-level={node.depth + 1}
                aria-expanded={node.children.length ? !folded.has(node) : undefined}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => choose(node)}
              >
                <span className="span-name" style={{ paddingLeft: `calc(${Math.min(node.depth, 24)} * var(--indent))` }}>
                  {node.children.length > 0 ? (
                    <button type="button" className="twist" tabIndex={-1} aria-label={folded.has(node) ? "Unfold" : "Fold"} onClick={(event) => { event.stopPropagation(); fold(node); }}>
                      {folded.has(node) ? `▸ ${node.below}` : "▾"}
                    </button>
                  ) : (
                    <span className="twist" />
                  )}
                  <span className={`swatch hue-${hue.get(colourKey(node, colourBy)) ?? 0}`} />
                  {node.orphan && <span title="The parent of this span is not here" className="orphan">⚠</span>}
                  {node.failed && <span className="bad" title="Failed">✕</span>}
                  <span className="text" title={`${node.span.service}: ${node.span.name}`}>{node.span.name || "(no name)"} <span className="dim">{node.span.service}</span></span>
                </span>
                <span className="span-time">
                  {right >= 0 && left <= 100 && (
                    <span className={`bar hue-${hue.get(colourKey(node, colourBy)) ?? 0} ${node.running ? "running" : ""}`} style={{ left: `${Math.max(0, left)}%`, width: `${Math.max(0.15, Math.min(100, right) - Math.max(0, left))}%` }} />
                  )}
                  {node.span.events.slice(0, 50).map((event, index) => {
                    const x = place(node.startMs + sinceMs(event.time_ns, node.span.start_ns));
                    return x >= 0 && x <= 100 ? <span key={index} className="dot" style={{ left: `${x}%` }} title={event.name} /> : null;
                  })}
                  <span className="bar-text" style={right < 82 ? { left: `${Math.max(0, right)}%` } : { right: `${Math.max(0, 100 - left)}%` }}>{left > 30 || right < 82 ? text : ""}</span>
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
