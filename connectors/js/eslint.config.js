import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "src/events.ts"] },
  ...tseslint.configs.strict,
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
      eqeqeq: ["error", "always"],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  { files: ["**/*.mjs"], rules: { "no-console": "off" } },
);
