import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { describeError, networkError, toApiError } from "../src/api/errors";
import type { Problem } from "../src/api/types";
import { ErrorNotice } from "../src/ui/ErrorNotice";

const problem: Problem = {
  type: "about:blank",
  title: "Invalid parameter",
  status: 400,
  detail: "A parameter is invalid.",
  code: "invalid_parameter",
  request_id: "request-4711",
  errors: [{ parameter: "since", code: "invalid", detail: "must be a date" }],
};

describe("an error notice", () => {
  it("shows the server's message, each faulty parameter and the request ID", () => {
    render(<ErrorNotice {...describeError(toApiError(400, problem))} />);
    const alert = screen.getByRole("alert");
    expect(alert.textContent).toContain("A parameter is invalid.");
    expect(alert.textContent).toContain("since must be a date");
    expect(alert.textContent).toContain("request-4711");
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("offers to try again", () => {
    const onRetry = vi.fn();
    render(<ErrorNotice {...describeError(networkError())} onRetry={onRetry} />);
    expect(screen.getByRole("heading", { name: "No connection" })).toBeDefined();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(onRetry).toHaveBeenCalledOnce();
  });

  it("does not show the text of an unexpected error", () => {
    render(<ErrorNotice {...describeError(new TypeError("x is undefined"))} />);
    expect(screen.getByRole("heading", { name: "Something went wrong" })).toBeDefined();
    expect(screen.getByRole("alert").textContent).not.toContain("x is undefined");
  });
});
