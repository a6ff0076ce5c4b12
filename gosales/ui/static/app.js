// All pages work without this; it saves clicks. Nothing is asked of any other server.
"use strict";

const byId = (id) => document.getElementById(id);

function themeButton() {
  const button = byId("theme"), root = document.documentElement, order = ["auto", "light", "dark"];
  const tell = () => { button.textContent = `Theme: ${root.dataset.theme || "auto"}`; };
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme || "auto") + 1) % order.length];
    if (next === "auto") delete root.dataset.theme; else root.dataset.theme = next;
    try { localStorage.setItem("gosales-theme", next); } catch { /* this page only */ }
    tell();
  });
}

// The address of a form's state, without what is empty.
function addressOf(form) {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (value === "") query.delete(name);
  const text = query.toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
}

let latest = 0;

async function show(address) {
  const mine = ++latest, results = byId("results");
  results.setAttribute("aria-busy", "true");
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== latest) return; // a later question is under way
  const fresh = page.getElementById("results");
  if (!fresh) { location.href = address; return; }
  results.replaceWith(fresh);
  history.pushState(null, "", address);
  // The filters keep the keyboard's place; what they hold beside it follows the address.
  const held = document.querySelector("#filters input[name=capacity]");
  const given = page.querySelector("#filters input[name=capacity]");
  if (held) held.remove();
  if (given) byId("filters").append(given);
  listen();
}

function filters() {
  const form = byId("filters");
  if (!form) return;
  form.addEventListener("submit", (event) => { event.preventDefault(); show(addressOf(form)); });
  form.addEventListener("change", () => show(addressOf(form)));
  window.addEventListener("popstate", () => location.reload());
}

function slider() {
  const share = byId("share");
  if (!share) return;
  const points = share.dataset.curve.split(";").filter(Boolean).map((point) => point.split("|"));
  share.addEventListener("input", () => {
    const point = points[share.value - 1];
    if (!point) return;
    byId("told").textContent = `the best ${share.value} %`;
    [byId("rows").textContent, byId("worth").textContent, byId("buyers").textContent] = point;
  });
  const form = byId("capacity");
  form.querySelector("button").hidden = true; // letting the slider go does it
  form.addEventListener("submit", (event) => { event.preventDefault(); show(addressOf(form)); });
  share.addEventListener("change", async () => { await show(addressOf(form)); byId("share").focus(); });
}

// What is ticked stays ticked from page to page of the same list.
function picks() {
  const form = byId("picks");
  if (!form) return;
  const key = `gosales-picks-${form.elements.list.value}`;
  let picked = new Set();
  try { picked = new Set(JSON.parse(sessionStorage.getItem(key) || "[]")); } catch { /* none */ }
  const boxes = [...form.querySelectorAll("input[name=pick]")];
  const tell = () => { byId("count").textContent = picked.size; };
  for (const box of boxes) box.checked = picked.has(box.value);
  tell();
  form.addEventListener("change", (event) => {
    if (event.target.name !== "pick") return;
    if (event.target.checked) picked.add(event.target.value); else picked.delete(event.target.value);
    try { sessionStorage.setItem(key, JSON.stringify([...picked])); } catch { /* this page only */ }
    tell();
  });
  form.addEventListener("formdata", (event) => {
    event.formData.delete("pick");
    if (picked.size) event.formData.append("pick", [...picked].join(","));
  });
}

function listen() { slider(); picks(); }

themeButton();
filters();
listen();
