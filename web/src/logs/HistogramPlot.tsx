import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCompact } from "../ui/time/format";
import type { Series } from "./definition";

interface HistogramPlotProps {
  series: readonly Series[];
  /** Counts that are drawn as a dashed line over the stack. */
  line?: readonly number[] | undefined;
  /** The labels under the bars. Null for a bar without one. */
  ticks: readonly (string | null)[];
  height: number;
  axes: { left: number; right: number; bottom: number };
  theme: string;
}

/** A stack is drawn from back to front: first the sum of all layers, then each lower sum over it. */
function stacked(series: readonly Series[], length: number): uPlot.AlignedData {
  const sums: number[][] = [];
  let below = new Array<number>(length).fill(0);
  for (const layer of series) {
    below = below.map((sum, index) => sum + (layer.counts[index] ?? 0));
    sums.push(below);
  }
  return [Array.from({ length }, (_, index) => index), ...sums.reverse()];
}

export default function HistogramPlot({ series, line, ticks, height, axes, theme }: HistogramPlotProps) {
  const host = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const font = `11px ${color("--font")}`;
    const length = ticks.length;
    const shown = ticks.flatMap((tick, index) => (tick === null ? [] : [index]));
    const bars = uPlot.paths.bars?.({ size: [0.82, 28], align: 0 });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        padding: [6, axes.right, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: () => [-0.5, length - 0.5] },
          y: { range: (_, __, max) => [0, Math.max(max * 1.04, 1)] },
        },
        axes: [
          {
            size: axes.bottom,
            gap: 4,
            font,
            stroke: color("--text-3"),
            grid: { show: false },
            ticks: { show: false },
            splits: () => shown,
            values: (_, splits) => splits.map((index) => ticks[index] ?? ""),
          },
          {
            size: axes.left,
            gap: 6,
            font,
            stroke: color("--text-3"),
            grid: { stroke: color("--chart-grid"), width: 1 },
            ticks: { show: false },
            space: 26,
            incrs: [1, 2, 5]
              .flatMap((step) => Array.from({ length: 9 }, (_, power) => step * 10 ** power))
              .sort((a, b) => a - b),
            values: (_, splits) => splits.map((value) => formatCompact(value)),
          },
        ],
        series: [
          {},
          ...[...series].reverse().map((layer) => ({
            fill: color(layer.color),
            width: 0,
            points: { show: false },
            ...(bars && { paths: bars }),
          })),
          ...(line ? [{ stroke: color("--text-2"), width: 1.5, dash: [5, 4], points: { show: false } }] : []),
        ],
      },
      [...stacked(series, length), ...(line ? [[...line]] : [])] as uPlot.AlignedData,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, line, ticks, height, axes, theme]);

  return <div ref={host} style={{ height }} aria-hidden="true" />;
}
