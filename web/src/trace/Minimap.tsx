// The whole trace in a strip: where its spans lie, where the failures are. Dragging chooses what the waterfall shows.

import { useEffect, useRef, useState } from "react";
import type { Node, Tree } from "./model";

const HEIGHT = 44;
const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Minimap({ tree, hueOf, zoom, setZoom }: { tree: Tree; hueOf: (node: Node) => number; zoom: [number, number]; setZoom: (zoom: [number, number]) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  useEffect(() => {
    const paint = () => {
      const element = canvas.current;
      const width = host.current?.clientWidth ?? 0;
      if (!element || width === 0) return;
      const ratio = devicePixelRatio || 1;
      element.width = width * ratio;
      element.height = HEIGHT * ratio;
      const context = element.getContext("2d");
      if (!context) return;
      context.scale(ratio, ratio);
      const deepest = tree.nodes.reduce((most, node) => Math.max(most, node.depth), 0) + 1;
      const row = Math.max(1, Math.min(6, HEIGHT / deepest));
      for (const node of tree.nodes) {
        const x = (node.startMs / Math.max(tree.durationMs, 1e-6)) * width;
        context.fillStyle = node.failed ? color("--bad") : color(`--line-${hueOf(node)}`);
        context.fillRect(x, (node.depth * row) % HEIGHT, Math.max(1, (node.durationMs / Math.max(tree.durationMs, 1e-6)) * width), Math.max(1, row - 1));
      }
    };
    const observer = new ResizeObserver(paint);
    if (host.current) observer.observe(host.current);
    addEventListener("resize", paint);
    return () => {
      observer.disconnect();
      removeEventListener("resize", paint);
    };
  }, [tree, hueOf]);
  const shareAt = (clientX: number) => {
    const box = host.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  };
  const shown = drag ? ([Math.min(...drag), Math.max(...drag)] as [number, number]) : zoom;
  return (
    <div className="minimap-row">
      <div
        ref={host}
        className="minimap"
        onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); setDrag([shareAt(event.clientX), shareAt(event.clientX)]); }}
        onPointerMove={(event) => drag && setDrag([drag[0], shareAt(event.clientX)])}
        onPointerUp={() => {
          if (drag && Math.abs(drag[1] - drag[0]) > 0.01) setZoom([Math.min(...drag), Math.max(...drag)]);
          setDrag(null);
        }}
      >
        <canvas ref={canvas} role="img" aria-label="The whole trace; drag to see a part of it" />
        <span className="minimap-shade" style={{ left: 0, width: `${shown[0] * 100}%` }} />
        <span className="minimap-shade" style={{ right: 0, width: `${(1 - shown[1]) * 100}%` }} />
      </div>
      {(zoom[0] > 0 || zoom[1] < 1) && <button type="button" className="quiet" onClick={() => setZoom([0, 1])}>Whole trace</button>}
    </div>
  );
}
