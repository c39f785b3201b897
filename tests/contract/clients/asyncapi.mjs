// Prints what the reference parser of AsyncAPI has to say of a document: `code: message (place)` a line. Hints are left out.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const ERRORS_AND_WARNINGS = 1;
for (const told of diagnostics.filter(({ severity }) => severity <= ERRORS_AND_WARNINGS)) {
  console.log(`${told.code}: ${told.message} (${told.path.join("/")})`);
}
if (document === undefined) console.log("expected a document, but there is none");
