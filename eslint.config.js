// Rules for the review's scripts (autograder/review/static) and their tests.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    rules: {
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      complexity: ["error", 10],
      "max-lines": ["error", 170],
    },
  },
  { files: ["autograder/review/static/**"], languageOptions: { globals: globals.browser } },
  { files: ["autograder/tests/**"], languageOptions: { globals: globals.node } },
];
