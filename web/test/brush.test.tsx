import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { HistogramBrush } from "../src/logs/HistogramBrush";

const labels = ["01/11/2026", "02/11/2026", "03/11/2026", "04/11/2026"];
const series = [
  { value: "success", label: "Success", color: "--chart-1", counts: [4, 0, 1200, 1] },
  { value: "failure", label: "Failure", color: "--chart-2", counts: [1, 0, 34, 0] },
];

function renderBrush(before?: { labels: string[]; totals: number[] }) {
  const onSelect = vi.fn();
  render(
    <HistogramBrush
      labels={labels}
      totals={[5, 0, 1234, 1]}
      series={series}
      before={before}
      inset={{ left: 0, right: 0, top: 0, bottom: 0 }}
      onSelect={onSelect}
    />,
  );
  const brush = screen.getByRole("listbox");
  const press = (key: string, shiftKey = false) => fireEvent.keyDown(brush, { key, shiftKey });
  const selected = () =>
    screen
      .getAllByRole("option")
      .flatMap((bar, index) => (bar.getAttribute("aria-selected") === "true" ? [index] : []));
  return { brush, press, selected, onSelect };
}

describe("the period before", () => {
  const before = {
    labels: ["28/10", "29/10", "30/10", "31/10"].map((day) => `${day}/2026`),
    totals: [2, 3, 1000, 0],
  };

  it("is told for each bar, with its own dates", () => {
    renderBrush(before);
    expect(screen.getAllByRole("option").map((bar) => bar.getAttribute("aria-label"))).toEqual([
      "01/11/2026: 5 events, Success 4, Failure 1; before, 28/10/2026: 2",
      "02/11/2026: no events; before, 29/10/2026: 3",
      "03/11/2026: 1,234 events, Success 1,200, Failure 34; before, 30/10/2026: 1,000",
      "04/11/2026: 1 event, Success 1; before, 31/10/2026: 0",
    ]);
  });

  it("is summed over the bars that are chosen", () => {
    const { press } = renderBrush(before);
    press("End");
    press("ArrowLeft", true);
    press("ArrowLeft", true);
    const { textContent } = screen.getByText("02/11/2026 – 04/11/2026").parentElement as HTMLElement;
    expect(textContent).toContain("29/10/2026 – 31/10/20261,003");
  });
});

describe("the histogram by keyboard", () => {
  it("labels every bar", () => {
    renderBrush();
    expect(screen.getAllByRole("option").map((bar) => bar.getAttribute("aria-label"))).toEqual([
      "01/11/2026: 5 events, Success 4, Failure 1",
      "02/11/2026: no events",
      "03/11/2026: 1,234 events, Success 1,200, Failure 34",
      "04/11/2026: 1 event, Success 1",
    ]);
  });

  it("starts at the newest bar and moves with the arrow keys", () => {
    const { brush, press, selected } = renderBrush();
    press("ArrowLeft");
    expect(selected()).toEqual([3]);
    press("ArrowLeft");
    press("ArrowLeft");
    expect(selected()).toEqual([1]);
    expect(brush.getAttribute("aria-activedescendant")).toBe(screen.getAllByRole("option")[1]?.id);
    press("Home");
    press("ArrowLeft");
    expect(selected()).toEqual([0]);
  });

  it("extends the selection with Shift and applies it with Enter", () => {
    const { press, selected, onSelect } = renderBrush();
    press("End");
    press("ArrowLeft", true);
    press("ArrowLeft", true);
    expect(selected()).toEqual([1, 2, 3]);
    press("ArrowRight", true);
    expect(selected()).toEqual([2, 3]);
    press("Enter");
    expect(onSelect).toHaveBeenCalledExactlyOnceWith(2, 3);
    expect(selected()).toEqual([]);
  });

  it("cancels the selection on Escape", () => {
    const { press, selected, onSelect } = renderBrush();
    press("Home");
    press("Escape");
    expect(selected()).toEqual([]);
    press("Enter");
    expect(onSelect).not.toHaveBeenCalled();
  });
});

describe("the histogram by mouse", () => {
  it("selects the dragged range, in either direction", () => {
    const { brush, onSelect } = renderBrush();
    brush.getBoundingClientRect = () => ({ left: 0, width: 400 }) as DOMRect;
    fireEvent.pointerDown(brush, { button: 0, clientX: 350 });
    fireEvent.pointerMove(brush, { clientX: 120 });
    fireEvent.pointerUp(brush);
    expect(onSelect).toHaveBeenCalledExactlyOnceWith(1, 3);
  });
});
