// Opens a page from disk as a reader would, in every form, and prints what was seen as JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [browserPath, file, pictures, ways] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const address = pathToFileURL(file).href;

const opened = async (options) => {
  const page = await (await browser.newContext(options)).newPage();
  const problems = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => request.url() === address || problems.push(`asked for ${request.url()}`));
  await page.goto(address);
  return [page, problems];
};

// A picture can be taken once a frame was drawn: the first callback comes before it, the second after.
const painted = (page) => page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));

const forms = [];
for (const width of [1400, 400]) {
  for (const colorScheme of ["light", "dark"]) {
    const [page, problems] = await opened({ viewport: { width, height: 900 }, colorScheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    await painted(page);
    await page.screenshot({ path: `${pictures}/${width}-${colorScheme}.png` });
    const [checked] = await opened({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
    await checked.evaluate(axe);
    // Everything is unfolded, of the many groups of messages the first two: the others are like them.
    await checked.evaluate(() => document.querySelectorAll("details:not(.group), .groups > :nth-child(-n + 2)").forEach((each) => { each.open = true; }));
    const found = await checked.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const violations = found.violations.map((each) => `${each.id}: ${each.nodes[0].html} ${each.nodes[0].failureSummary}`);
    const rules = await checked.evaluate(() => axe.getRules().length);
    forms.push({ width, colorScheme, wide, problems, violations, rules });
    await page.context().close();
    await checked.context().close();
  }
}

// What a reader of report.html does with it, by keyboard, by mouse, on paper and without scripts.
const use = async () => {
  const [page, problems] = await opened({ viewport: { width: 1400, height: 900 } });
  const shown = (kind) => page.evaluate((kind) =>
    [...document.querySelectorAll(`[data-find=${kind}]`)].filter((each) => each.checkVisibility()).length, kind);
  const filtered = async (act) => {
    await act();
    await page.waitForTimeout(400);
    return { cards: await shown("card"), clauses: await shown("clause"), messages: await shown("message"), said: await page.textContent("#seen") };
  };
  const used = {};
  used.pwned = await page.evaluate(() => typeof window.pwned);
  used.before = await filtered(async () => {});
  used.typed = await filtered(async () => { await page.keyboard.press("/"); await page.keyboard.type("SET-VALUE"); });
  used.nothing = await filtered(() => page.keyboard.type(" no such thing"));
  used.after = await filtered(() => page.keyboard.press("Escape"));
  used.failed = await filtered(() => page.selectOption("select[name=verdict]", "FAIL"));
  used.level = await filtered(() => page.selectOption("select[name=level]", "2"));
  used.cleared = await filtered(() => page.click("#clear"));
  used.message = await filtered(() => page.fill("#find", "vm.set_tags"));
  await page.keyboard.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  const card = () => page.evaluate(() => document.activeElement.closest("details")?.id ?? "");
  used.keys = [];
  for (const key of ["j", "j", "k"]) {
    await page.keyboard.press(key);
    used.keys.push(await card());
  }
  used.copied = [];
  for (const button of (await page.locator("button[data-copy]:visible").all()).slice(-6)) {
    await button.click();
    await page.waitForTimeout(80);
    used.copied.push(await button.textContent());
  }
  await page.evaluate(() => { location.hash = "#finding-3"; });
  await page.waitForTimeout(100);
  used.linked = await page.evaluate(() => document.getElementById("finding-3")?.open ?? null);
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  used.printed = {
    closed: await page.evaluate(() => document.querySelectorAll(".card:not([open])").length),
    tools: await page.locator("#tools").isVisible(),
  };
  const pdf = await page.pdf({ path: `${pictures}/print.pdf`, format: "A4" });
  used.printed.bytes = pdf.length;
  used.problems = problems;

  const [plain] = await opened({ javaScriptEnabled: false });
  used.plain = {
    tools: await plain.locator("#tools").isVisible(),
    buttons: await plain.locator("button:visible").count(),
    verdict: await plain.textContent("h1"),
  };
  return used;
};

const used = ways === "use" ? await use() : {};
await browser.close();
console.log(JSON.stringify({ forms, used }));
