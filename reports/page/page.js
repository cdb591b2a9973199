"use strict";
const all = (query, from = document) => [...from.querySelectorAll(query)];
const one = (id) => document.getElementById(id);

const items = all("[data-find]");
const words = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
const kinds = [["card", "findings"], ["clause", "clauses"], ["message", "messages"]];
const text = one("find");
const picks = all("#tools select");
let opened = [];

const fits = (item, wanted) =>
  wanted.every((word) => words.get(item).includes(word)) &&
  picks.every((pick) => !pick.value || !(pick.name in item.dataset) || item.dataset[pick.name].split(" ").includes(pick.value));

const filter = () => {
  const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of items) item.hidden = !fits(item, wanted);
  for (const group of opened) group.open = false;
  opened = [];
  for (const group of all("details.group")) {
    const left = all("[data-find]", group).some((item) => !item.hidden);
    group.hidden = !left;
    if (wanted.length && left && !group.open) {
      group.open = true;
      opened.push(group);
    }
  }
  const chosen = wanted.length > 0 || picks.some((pick) => pick.value);
  const told = kinds
    .map(([kind, name]) => [items.filter((item) => item.dataset.find === kind), name])
    .filter(([found]) => found.length)
    .map(([found, name]) => `${found.filter((item) => !item.hidden).length} of ${found.length} ${name}`);
  one("seen").textContent = chosen ? `Shown: ${told.join(", ")}` : "";
  one("clear").hidden = !chosen;
};

let waiting = 0;
text.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 120);
});
for (const pick of picks) pick.addEventListener("change", filter);
const clear = () => {
  text.value = "";
  for (const pick of picks) pick.value = "";
  filter();
  text.focus();
};
one("clear").addEventListener("click", clear);

const cards = () => all(".card").filter((card) => !card.hidden);
const step = (by) => {
  const shown = cards();
  const at = shown.findIndex((card) => card.contains(document.activeElement));
  const next = shown[Math.min(shown.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  if (!next) return;
  next.open = true;
  next.querySelector("summary").focus();
  next.scrollIntoView({ block: "start" });
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && document.activeElement === text) return clear();
  if (/^(input|select|textarea)$/i.test(event.target.tagName)) return;
  if (event.key === "/") {
    event.preventDefault();
    text.focus();
  } else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
});

const copied = async (from) => {
  try {
    await navigator.clipboard.writeText(from.textContent);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(from);
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
    return document.execCommand("copy");
  }
};
for (const button of all("button[data-copy]")) {
  button.hidden = false;
  const name = button.textContent;
  button.addEventListener("click", async () => {
    button.textContent = (await copied(one(button.dataset.copy))) ? "copied" : "press Ctrl+C";
    one("said").textContent = button.textContent;
    setTimeout(() => {
      button.textContent = name;
    }, 1500);
  });
}

const unfold = () => {
  const target = location.hash && one(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches("details")) target.open = true;
};
addEventListener("hashchange", unfold);
unfold();

let closed = [];
addEventListener("beforeprint", () => {
  closed = all(".card:not([open]), details.told:not([open])");
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed) each.open = false;
});
one("tools").hidden = false;
