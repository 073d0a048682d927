-- The workspace whose logs tell of Logbook itself: one row, and none before there is something to tell.
CREATE TABLE platform_workspace (
    workspace_id INTEGER NOT NULL PRIMARY KEY REFERENCES workspaces (id)
);
