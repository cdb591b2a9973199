// Opens a report of Allure as a reader would, goes through it, and prints what was seen as JSON.
import { chromium } from "playwright-core";

const [browserPath, address, pictures, suites, finding] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ viewport: { width: 1600, height: 1400 }, locale: "en" });
// Allure's page counts its visitors at an address of its makers; what is looked at is the report alone.
await context.route((url) => url.origin !== new URL(address).origin, (route) => route.abort());
const page = await context.newPage();
const faults = [];
page.on("pageerror", (error) => faults.push(String(error)));
const shown = () => page.evaluate(() => document.body.innerText);
const until = (text) => page.getByText(text, { exact: false }).first().waitFor({ timeout: 60_000 });

await page.goto(address);
await until("Metadata");
for (const name of suites.split("|")) {
  await until(name);
}
const seen = { first: await shown() };
await page.screenshot({ path: `${pictures}/suites.png` });

const categories = page.getByText(/^Categories\s*\d*$/).first();
if (await categories.count()) {
  await categories.click();
  await page.waitForTimeout(1000);
  seen.categories_page = await shown();
  await page.screenshot({ path: `${pictures}/categories.png` });
}

if (finding) {
  await page.goto(`${address}#${finding}`);
  await until("Test body");
  seen.finding = await shown();
  seen.rule = await page.frameLocator("iframe[title=Description]").locator("blockquote").innerText();
  seen.links = await page.evaluate(() => [...document.querySelectorAll("a[href]")].map((each) => each.href));
  await page.getByText("request: ", { exact: false }).first().click();
  await page.waitForTimeout(1000);
  seen.opened = await shown();
  await page.screenshot({ path: `${pictures}/finding.png` });
}
seen.faults = faults.concat(await page.evaluate(() => (typeof window.pwned === "undefined" ? [] : ["a script of the server's ran"])));
console.log(JSON.stringify(seen));
await browser.close();
