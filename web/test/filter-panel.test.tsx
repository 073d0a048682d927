import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { accessLog } from "../src/access/log";
import type { Facets } from "../src/api/types";
import { LogContext } from "../src/logs/context";
import { FilterPanel } from "../src/logs/FilterPanel";

function renderPanel(exact: boolean) {
  const values = [
    { value: "Nurse", count: 7 },
    { value: "(other)", count: 3 },
  ];
  const facets: Facets = { data: [{ field: "role", values }], exact };
  const context = {
    workspace: "clinic",
    clock: { zone: "UTC", format: "yyyy-mm-dd" as const },
    search: {},
    filterLabel: (param: string) => param,
  };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LogContext value={context}>
        <FilterPanel
          filters={accessLog.filters}
          facets={facets}
          search={{}}
          onSearch={() => undefined}
          onCheck={() => Promise.resolve(null)}
        />
      </LogContext>
    </QueryClientProvider>,
  );
  return within(screen.getByRole("group", { name: "Role" }));
}

describe("the filter panel", () => {
  it("shows the values that are counted together, and offers no filter by them", () => {
    const role = renderPanel(false);
    expect(role.getByText("Other values")).toBeTruthy();
    expect(role.getByText(/Too many to list/)).toBeTruthy();
    expect(role.getAllByRole("checkbox")).toHaveLength(1);
    expect(role.queryByText("(other)")).toBeNull();
  });

  it("takes a producer's own value of that name as any other", () => {
    const role = renderPanel(true);
    expect(role.getAllByRole("checkbox")).toHaveLength(2);
    expect(role.queryByText("Other values")).toBeNull();
  });
});
