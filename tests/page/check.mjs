// The pages below DIR in a headless Chromium.
//
// usage: check.mjs CHROMIUM DIR SHOTS      (DIR/out/LAB/, DIR/captures/NAME/, DIR/many/many/,
//                                        DIR/wrong/out/unplugged/)
//
// Of every page: at each width no text overlaps another or leaves the page, in both schemes
// (which differ in colours only) axe finds nothing, nothing is reported on the console, and
// nothing is requested.  SHOTS/NAME-WIDTH.png is how it looks.
// Of some: that it can be used with the keyboard alone, read without its script and when
// printed, is small and quick, and that these checks find what they have to find.
import { readFileSync, readdirSync, existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [, , executablePath, dir, shots] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const widths = [400, 1000, 1800];
let failed = 0, passed = 0;

function check(good, name, what) {
  if (good) passed++;
  else {
    failed++;
    console.log(`FAIL  ${name}: ${what}`);
  }
  return good;
}

const pageOf = folder => `${folder}/report.html`;
const url = file => file === "about:blank" ? file : pathToFileURL(file).href;

// In the page: texts that overlap, or stick out of it.
function findOverlaps() {
  const found = [], boxes = [], wide = document.documentElement.clientWidth;
  const clips = new Map();
  // What is left of a rectangle when those around it have cut it off.
  function clipOf(e) {
    if (!e || e === document.documentElement) return null;
    if (clips.has(e)) return clips.get(e);
    let clip = clipOf(e.parentElement);
    const style = getComputedStyle(e);
    if (e instanceof HTMLElement && /(auto|scroll|hidden|clip)/.test(style.overflow)) {
      const r = e.getBoundingClientRect();
      clip = clip ? { left: Math.max(clip.left, r.left), top: Math.max(clip.top, r.top),
        right: Math.min(clip.right, r.right), bottom: Math.min(clip.bottom, r.bottom) } : r;
    }
    clips.set(e, clip);
    return clip;
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest("script, style, title, desc, .vh, .skip")) continue;
    if (!e.checkVisibility({ visibilityProperty: true })) continue;
    const clip = clipOf(e), range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
      let { left, top, right, bottom } = r;
      if (clip) {
        left = Math.max(left, clip.left), right = Math.min(right, clip.right);
        top = Math.max(top, clip.top), bottom = Math.min(bottom, clip.bottom);
      }
      if (right - left < 2 || bottom - top < 2) continue;
      // Lines of text have room around their letters that may overlap.
      const lead = (bottom - top) * .15;
      boxes.push({ left, top: top + lead, right, bottom: bottom - lead, node });
      if (left < -1 || right > wide + 1) found.push(`"${node.data.trim().slice(0, 40)}" leaves the page`);
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  for (let i = 0; i < boxes.length; i++)
    for (let k = i + 1; k < boxes.length && boxes[k].top < boxes[i].bottom - 1; k++) {
      const a = boxes[i], b = boxes[k];
      if (a.node !== b.node && a.left < b.right - 1 && b.left < a.right - 1)
        found.push(`"${a.node.data.trim().slice(0, 40)}" and "${b.node.data.trim().slice(0, 40)}" overlap`);
    }
  if (document.documentElement.scrollWidth > wide) found.push("the page scrolls sideways");
  return found;
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

// A page that complains when its document says or asks for anything.
async function open(file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const page = await context.newPage();
  const noise = [];
  page.on("console", m => noise.push(`console: ${m.text()}`));
  page.on("pageerror", e => noise.push(`error: ${e.message}`));
  page.on("request", r => { if (r.url() !== url(file)) noise.push(`request: ${r.url()}`); });
  await page.goto(url(file), { waitUntil: "load" });
  return { page, noise, close: () => context.close() };
}

// At each width the page is loaded anew: one that is made narrower is for a moment laid out
// by the rules of the old width.
async function checkLooks(name, file) {
  for (const width of widths) {
    const { page, noise, close } = await open(file, { viewport: { width, height: 900 } });
    // A long ladder is laid out where it is in view; here, all of it.
    await page.evaluate(() => document.styleSheets[0].insertRule(
      ".big .rows { content-visibility: visible !important }", document.styleSheets[0].cssRules.length));
    const found = await page.evaluate(findOverlaps);
    check(!found.length, name, `at ${width} pixels: ${found.slice(0, 3).join("; ")}`);
    const colorScheme = { 400: "light", 1800: "dark" }[width];
    if (colorScheme) {
      await page.emulateMedia({ colorScheme });
      const row = page.locator("li.seg a.w").first();
      if (await row.count()) await row.click();
      await checkAxe(name, page, `${width} pixels, ${colorScheme}`);
    }
    check(!noise.length, name, noise[0]);
    await page.screenshot({ path: `${shots}/${name.replaceAll(" ", "-")}-${width}.png`, fullPage: true });
    await close();
  }
}

// axe comes in by the debugger's way, which the page's policy does not forbid.  It looks at
// each element, so of a long ladder and of a long table it gets the beginning: what follows
// is of the same kinds.
async function checkAxe(name, page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await window.axe.run(
    { exclude: [".big .rows + .rows ~ .rows", ".scroll tr:nth-child(n + 20)"] }, {
    resultTypes: ["violations"] })).violations.map(v => `${v.id}: ${v.help} (${v.nodes[0].html.slice(0, 120)})`));
  check(!found.length, name, `axe, ${where}: ${found.slice(0, 3).join("; ")}`);
}

async function checkKeyboard(name, file) {
  const { page, noise, close } = await open(file);
  const focus = () => page.evaluate(() => {
    const e = document.activeElement, s = getComputedStyle(e);
    return { id: e.closest("li.seg")?.id, tag: e.tagName, text: e.textContent.slice(0, 30),
      ring: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 };
  });
  let at, stops = 0;
  for (; stops < 60; stops++) {
    await page.keyboard.press("Tab");
    at = await focus();
    check(at.ring || at.tag === "BODY", name, `no ring around ${at.tag} "${at.text}"`);
    if (at.id) break;
  }
  if (!check(at.id === "s0", name, `the tab key does not reach the first segment (${stops} stops)`))
    return close();
  const title = () => page.locator(".inspector h2").textContent();
  check(await title() === "Segment 1", name, `the first segment's header is not shown: ${await title()}`);
  await page.keyboard.press("ArrowDown");
  at = await focus();
  check(at.id === "s1" && await title() === "Segment 2", name, `ArrowDown leads to ${at.id}`);
  const fields = await page.locator(".inspector .rfc").first().textContent();
  for (const field of ["Source Port", "Sequence Number", "ACK", "Window", "Checksum"])
    check(fields.includes(field), name, `the header shows no ${field}`);
  await page.keyboard.press("End");
  const last = await page.locator("li.seg").last().getAttribute("id");
  check((await focus()).id === last, name, "End does not lead to the last segment");
  const box = await page.locator(`#${last} a.w`).boundingBox();
  const panel = await page.locator(".inspector").boundingBox();
  check(box.y + box.height <= panel.y || box.x + box.width <= panel.x, name, "the header hides its segment");
  await page.keyboard.press("Escape");
  check((await focus()).id === last, name, "Escape loses the place");
  check(!await page.locator(".inspector").isVisible(), name, "Escape does not close the header");
  await page.keyboard.press("Tab");
  check((await focus()).id !== last, name, "the tab key does not lead out of the ladder");
  check(!noise.length, name, noise[0]);
  await close();
}

async function checkGraph(name, file) {
  const { page, close } = await open(file, { viewport: { width: 1800, height: 1000 } });
  const mark = () => page.locator("#seq0 .mark").getAttribute("d");
  const segments = await page.evaluate(() =>
    JSON.parse(document.getElementById("data").textContent).charts[0].at.map(p => p[0]));
  await page.locator(`#s${segments[1]} a.w`).hover();
  check((await mark() || "").startsWith("M"), name, "a segment of the ladder is not marked in the graph");
  const area = page.locator("#seq0 .area"), box = await area.boundingBox();
  const place = await page.evaluate(() => {
    const bars = JSON.parse(document.getElementById("data").textContent).charts[0].at.filter(p => p[3] !== p[2]);
    return bars[Math.floor(bars.length / 2)];
  });
  await area.click({ position: { x: place[1] * box.width / 2000,
    y: (place[2] + place[3]) / 2 * box.height / 600 } });
  const picked = await page.evaluate(() => document.querySelector("li.picked")?.id);
  const near = await page.evaluate(id => {
    const at = JSON.parse(document.getElementById("data").textContent).charts[0].at;
    return at.find(p => "s" + p[0] === id);
  }, picked);
  check(near && Math.abs(near[1] - place[1]) <= 40, name, `a click into the graph chose ${picked}`);
  await close();
}

async function checkWithoutScript(name, file) {
  const { page, noise, close } = await open(file, { javaScriptEnabled: false });
  check(await page.locator("li.seg a.w").first().isVisible(), name, "without script there is no ladder");
  check(await page.locator("#lesson p").first().isVisible(), name, "without script there is no lesson");
  await page.locator("#s0 a.w").click();
  check(await page.locator("#s0 code.raw").isVisible(), name, "without script a segment does not open");
  const figure = await page.locator("#s0 .figure").textContent();
  check(/\+-\+-\+/.test(figure) && /Window/.test(figure), name, "without script there is no figure");
  check(!noise.length, name, noise[0]);
  await close();
}

async function checkPrint(name, file) {
  const { page, close } = await open(file, { viewport: { width: 720, height: 1000 } });
  await page.emulateMedia({ media: "print" });
  const found = await page.evaluate(findOverlaps);
  check(!found.length, name, `printed: ${found.slice(0, 3).join("; ")}`);
  check(await page.locator("li.seg").first().locator("a.w").isVisible(), name, "printed: no ladder");
  check(!await page.locator(".inspector").isVisible(), name, "printed: the inspector");
  // Chromium paints on the first page what lies absolutely in a grid that goes on over pages.
  const lines = await page.evaluate(() => [...document.querySelectorAll("li.seg")].map(row => {
    const arrow = row.querySelector(".a"), box = arrow.getBoundingClientRect();
    const words = row.querySelector("a.w").getBoundingClientRect();
    return { position: getComputedStyle(arrow).position, high: box.height, below: box.top - words.bottom };
  }));
  for (const { position, high, below } of lines)
    check(position !== "absolute" && high > 8 && below >= -1 && below < 12, name,
      `printed: an arrow is ${position}, ${high} high, ${below} below its words`);
  await close();
}

// What the page's main thread computes, in ms, however busy the machine is with other things.
async function stopwatch(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => (await session.send("Performance.getMetrics")).metrics
    .find(m => m.name === "TaskDuration").value * 1000;
}

async function checkQuick(name, file) {
  const size = statSync(file).size;
  check(size < 2 << 20, name, `${size} bytes are more than 2 MiB`);
  let best = Infinity, wall = Infinity;
  for (let i = 0; i < 3; i++) {
    const { page, close } = await open("about:blank");
    const busy = await stopwatch(page);
    await page.goto(url(file));
    wall = Math.min(wall, await page.evaluate(() => new Promise(done =>
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))));
    best = Math.min(best, await busy());
    await close();
  }
  console.log(`      ${name}: ${size} bytes, shown after ${wall.toFixed(0)} ms, ${best.toFixed(0)} of them its own`);
  check(best < 1000, name, `it takes ${best.toFixed(0)} ms to show, more than a second`);
}

// 5,000 segments: scrolling, and going from one to the next, within a frame of 60 a second.
async function checkSmooth(name, file) {
  const { page, noise, close } = await open(file, { viewport: { width: 1800, height: 1000 } });
  const segments = await page.locator("li.seg").count();
  check(segments >= 5000, name, `${segments} segments are less than 5,000`);
  const busy = await stopwatch(page);
  async function cost(step, n) {
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const before = await busy();
      await step(n);
      best = Math.min(best, (await busy() - before) / n);
    }
    return best;
  }
  const scroll = await cost(n => page.evaluate(steps => new Promise(done => {
    const frame = document.querySelector(".frame.big");
    const step = () => { frame.scrollTop += 300; if (--steps) requestAnimationFrame(step); else done(); };
    step();
  }), n), 60);
  await page.locator("#s100 a.w").focus();
  const keys = await cost(async n => { for (let i = 0; i < n; i++) await page.keyboard.press("ArrowDown"); }, 20);
  console.log(`      ${name}: ${segments} segments; a frame of scrolling takes ${scroll.toFixed(1)} ms, a key ${keys.toFixed(1)} ms`);
  check(scroll < 1000 / 60, name, `a frame of scrolling takes ${scroll.toFixed(1)} ms`);
  check(keys < 50, name, `a key takes ${keys.toFixed(1)} ms`);
  check(!noise.length, name, noise[0]);
  await close();
}

// These checks find what they have to find.
async function checkChecks(file) {
  const { page, close } = await open(file);
  await page.evaluate(() => {
    const e = document.createElement("p");
    e.textContent = "over it all";
    document.querySelector("h1").append(e);
    e.setAttribute("class", "vh-not");
    const rule = [...document.styleSheets].find(s => s.cssRules.length);
    rule.insertRule(".vh-not { position: absolute; margin-top: -2rem; color: #999 !important }", 0);
  });
  check((await page.evaluate(findOverlaps)).length > 0, "self-test", "an overlap is not found");
  const blocked = await page.evaluate(() => {
    const s = document.createElement("script");
    s.textContent = "window.broken = true";
    document.body.append(s);
    return !window.broken;
  });
  check(blocked, "self-test", "the page's policy lets a script in that is not its own");
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await window.axe.run(document)).violations.map(v => v.id));
  check(found.includes("color-contrast"), "self-test", `a contrast is not found, but ${found}`);
  await close();
}

const labs = readdirSync(`${dir}/out`).filter(lab => existsSync(pageOf(`${dir}/out/${lab}`)));
for (const lab of labs) await checkLooks(lab, pageOf(`${dir}/out/${lab}`));
for (const capture of readdirSync(`${dir}/captures`))
  await checkLooks(`${capture}.pcap`, pageOf(`${dir}/captures/${capture}`));
const wrong = pageOf(`${dir}/wrong/out/unplugged`), some = ["fast-retransmit", ...labs].find(lab => labs.includes(lab) && !lab.startsWith("congestion"));
const sample = pageOf(`${dir}/out/${some}`), large = pageOf(`${dir}/out/congestion-reno`);
await checkLooks("a run that failed", wrong);
await checkKeyboard(some, sample);
await checkGraph(some, sample);
await checkGraph("congestion-reno", large);
await checkWithoutScript(some, sample);
await checkPrint(some, sample);
await checkQuick("congestion-reno", large);
await checkSmooth("many", pageOf(`${dir}/many/many`));
await checkChecks(sample);
await browser.close();
console.log(`page: ${passed} passed, ${failed} failed, ${labs.length} labs`);
process.exit(failed ? 1 : 0);
