DROP TABLE platform_workspace;
