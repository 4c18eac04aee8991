// The time range of a page: a period back from now, or two instants. Also by dragging over a chart.

import { useState } from "react";
import { describeTime, PERIODS, type TimeRange } from "../util/time";
import { useSetting } from "../util/settings";

type Set = (next: { last: number } | { startMs: number; endMs: number }) => void;

const local = (ms: number) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

export function TimePicker({ range, set, refresh }: { range: TimeRange; set: Set; refresh?: () => void }) {
  const [zone] = useSetting("zone", "local");
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState(local(range.startMs));
  const [to, setTo] = useState(local(range.endMs));
  const span = range.endMs - range.startMs;
  return (
    <div className="time-picker">
      <button type="button" className="quiet" aria-label="Earlier" onClick={() => set({ startMs: range.startMs - span, endMs: range.startMs })}>‹</button>
      <select
        aria-label="Time range"
        value={range.last ?? "fixed"}
        onChange={(event) => {
          if (event.target.value === "custom") {
            setFrom(local(range.startMs));
            setTo(local(range.endMs));
            setOpen(true);
          } else if (event.target.value !== "fixed") set({ last: Number(event.target.value) });
        }}
      >
        {range.last === null && <option value="fixed">{describeTime(range, zone)}</option>}
        {range.last !== null && !PERIODS.some(([seconds]) => seconds === range.last) && <option value={range.last}>last {range.last} s</option>}
        {PERIODS.map(([seconds, label]) => (
          <option key={seconds} value={seconds}>last {label}</option>
        ))}
        <option value="custom">from … to …</option>
      </select>
      <button type="button" className="quiet" aria-label="Later" disabled={range.last !== null} onClick={() => set({ startMs: range.endMs, endMs: range.endMs + span })}>›</button>
      {refresh && <button type="button" className="quiet" onClick={refresh} aria-label="Refresh">↻</button>}
      {open && (
        <form
          className="popover"
          onSubmit={(event) => {
            event.preventDefault();
            const [startMs, endMs] = [new Date(from).getTime(), new Date(to).getTime()];
            if (!(endMs > startMs)) return;
            setOpen(false);
            set({ startMs, endMs });
          }}
        >
          <label className="field"><span>From</span><input type="datetime-local" step="1" value={from} onChange={(event) => setFrom(event.target.value)} /></label>
          <label className="field"><span>To</span><input type="datetime-local" step="1" value={to} onChange={(event) => setTo(event.target.value)} /></label>
          <div className="row">
            <button>Apply</button>
            <button type="button" className="quiet" onClick={() => setOpen(false)}>Cancel</button>
          </div>
        </form>
      )}
    </div>
  );
}
