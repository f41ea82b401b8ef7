import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import type TypeScript from "typescript";
import { languages, preferred } from ".";
import { en, type Key } from "./en";

const list = (text: string | readonly string[]) => (typeof text === "string" ? [text] : text);
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();

test("every language has every text, with the same placeholders", () => {
  for (const [name, table] of Object.entries(languages)) {
    assert.deepEqual(Object.keys(table).sort(), Object.keys(en).sort(), name);
    for (const key of Object.keys(en) as Key[]) {
      const want = placeholders(list(en[key])[0]);
      assert.equal(Array.isArray(table[key]), Array.isArray(en[key]), `${name} ${key}: one text or two`);
      for (const text of list(table[key])) {
        assert.equal(placeholders(text), want, `${name} ${key}`);
        assert.equal(text, text.trim(), `${name} ${key}`);
        assert.ok(text.length > 0, `${name} ${key}`);
      }
    }
  }
});

const schemas = JSON.parse(readFileSync("../../docs/reference/openapi.json", "utf8")).components.schemas;
const errors: string[] = schemas.ErrorModel.properties.code.enum, all: string[] = schemas.Message.properties.code.enum;

/** Compares the texts whose keys begin with a prefix with the codes of a Go file: the same codes, the same values. */
function compareCodes(file: string, prefix: string, codes: string[]): void {
  const go = readFileSync(file, "utf8"), names = new Map([...go.matchAll(/^\t(\w+) +Code = "([\w-]+)"/gm)].map((m) => [m[1], m[2]]));
  assert.ok(codes.length > 40);
  assert.deepEqual([...names.values()].sort(), [...codes].sort());
  const values = new Map([...go.matchAll(/\b(\w+): \{([^}]*)\}/g)].map((m) => [names.get(m[1]), m[2].replace(/[" ]/g, "").split(",").filter(Boolean).sort().join()]));
  for (const [name, table] of Object.entries(languages)) {
    assert.deepEqual(Object.keys(table).filter((key) => key.startsWith(prefix)).sort(), codes.map((code) => prefix + code).sort(), name);
    for (const code of codes) for (const text of list((table as Record<string, string | string[]>)[prefix + code])) assert.equal(placeholders(text), values.get(code), `${name} ${code}`);
  }
}

test("every code of an error of the server's has a text in every language, with the values that it comes with", () => {
  compareCodes("../fault/codes.go", "error.", errors);
});

test("so has every code of its warnings, problems, reasons and events", () => {
  compareCodes("../fault/told.go", "told.", all.filter((code) => !errors.includes(code)));
});

test("so has whatever the store says is done to a label, and the state of a review", () => {
  const go = (file: string, what: RegExp) => [...readFileSync(`../store/${file}`, "utf8").matchAll(what)].map((m) => m[1]).sort();
  for (const [prefix, names] of [["action.", go("labels.go", /^\tAction\w+ += "(\w+)"/gm)], ["status.", ["", ...go("reviews.go", /^\tReview\w+ += "(\w+)"/gm)]], ["role.", go("people.go", /^\t\w+ += "(\w+)"/gm)]] as const) {
    assert.ok(names.length > 1, prefix);
    assert.deepEqual(Object.keys(en).filter((key) => key.startsWith(prefix)).sort(), names.map((name) => prefix + name));
  }
});

test("plain words for what only its makers understand", () => {
  const jargon = /\bnats?\b|^Asked for|^Yours until|^Stop\?|withdrawn|^Left side:|^Genug\?/;
  for (const [name, table] of Object.entries(languages)) {
    const found = Object.entries(table).filter(([, text]) => list(text).some((one) => jargon.test(one)));
    assert.deepEqual(found, [], name);
  }
});

test("the browser's first language that there is", () => {
  assert.equal(preferred(["pt-BR", "de-AT", "en"]), "de");
  assert.equal(preferred(["FR"]), "fr");
  assert.equal(preferred(["toString", "zh"]), "en");
  assert.equal(preferred([]), "en");
});

test("every text is used, and no visible text stands outside the table", () => {
  const ts: typeof TypeScript = createRequire(`${process.cwd()}/`)("typescript"), outside: string[] = [];
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((f) => /\.tsx?$/.test(f) && !f.endsWith(".test.ts") && !f.startsWith("texts"));
  assert.ok(files.length > 30);
  let all = "";
  const shown = new Set(["title", "placeholder", "label", "hint", "alt", "empty", "note", "name", "text", "aria-label", "aria-valuetext", "head"]);
  const says = new Set(["say", "refused", "mention", "offerUndo", "confirm", "setText", "setProblem", "setFailure", "warn", "Error", "ApiError"]);
  const words = (text: string) => /\p{L}{2,}/u.test(text) && !["nextslice", "Enter", "⇧ Enter", "Alt", "mm"].includes(text.trim());
  for (const file of files) {
    const text = readFileSync(`src/${file}`, "utf8");
    all += text;
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
    const found = (node: TypeScript.Node, what: string) => outside.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what.trim()}`);
    /** Texts of an expression that is shown: not of calls, comparisons and conditions. */
    const expression = (node: TypeScript.Node): void => {
      if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
        if (words(node.text)) found(node, node.text);
      } else if (ts.isTemplateExpression(node)) {
        for (const part of [node.head, ...node.templateSpans.map((s) => s.literal)]) if (words(part.text)) found(part, part.text);
        node.templateSpans.forEach((s) => expression(s.expression));
      } else if (ts.isConditionalExpression(node)) {
        expression(node.whenTrue);
        expression(node.whenFalse);
      } else if (ts.isBinaryExpression(node)) {
        if (/^(&&|\|\||\?\?|\+)$/.test(node.operatorToken.getText())) {
          expression(node.left);
          expression(node.right);
        }
      } else if (ts.isParenthesizedExpression(node)) expression(node.expression);
      else if (ts.isArrayLiteralExpression(node)) node.elements.forEach(expression);
    };
    const walk = (node: TypeScript.Node): void => {
      if (ts.isJsxText(node) && words(node.text)) found(node, node.text);
      if (ts.isJsxAttribute(node)) {
        const own = node.parent.parent as TypeScript.JsxOpeningLikeElement, component = /^[A-Z]/.test(own.tagName.getText()), name = node.name.getText();
        if (shown.has(name) && (component || name !== "name") && node.initializer) expression(ts.isJsxExpression(node.initializer) && node.initializer.expression ? node.initializer.expression : node.initializer);
      }
      if (ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) expression(node.expression);
      if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && says.has(node.expression.getText().split(/[.?!]+/).at(-1)!)) {
        for (const argument of node.arguments ?? []) if (!ts.isStringLiteral(argument) || /\s/.test(argument.text)) expression(argument);
      }
      ts.forEachChild(node, walk);
    };
    walk(source);
  }
  assert.deepEqual(outside, []);
  // keys that are put together have their beginning in the source
  const unused = (Object.keys(en) as Key[]).filter((key) => key !== "language" && !all.includes(`"${key}"`) && !all.includes(`\`${key.slice(0, key.lastIndexOf(".") + 1)}\${`));
  assert.deepEqual(unused, []);
});
