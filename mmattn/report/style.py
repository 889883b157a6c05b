"""The page's style sheet. Colours after Okabe and Ito, apart in every kind of colour vision, on light and on dark."""

CSS = """
:root { color-scheme: light dark; --back: #fbfbfa; --panel: #fff; --ink: #1c1f23; --quiet: #5d6670; --rule: #dfe3e6;
  --a: #0072b2; --b: #c2500a; --c: #00795a; --d: #9a4f83; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --panel: #1c2024; --ink: #e8eaec; --quiet: #9aa4ad;
  --rule: #343a40; --a: #5bb5ea; --b: #eb9b3c; --c: #2fbf94; --d: #d795c0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 4px; } h2 { font-size: 1.2rem; margin: 44px 0 12px; }
p { margin: 8px 0; } .quiet { color: var(--quiet); } .claim { white-space: pre-line; max-width: 46em; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 24px; }
.tile, figure, .card, pre { background: var(--panel); border: 1px solid var(--rule); border-radius: 10px; }
.tile { padding: 12px 16px; } .tile b { display: block; font-size: 1.5rem; line-height: 1.3; }
.tile.first b { color: var(--a); } .tile span { color: var(--quiet); font-size: .85rem; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; }
figure { margin: 0; padding: 12px; } svg { width: 100%; height: auto; display: block; }
svg.chart text, svg.confusion text, text.axis { fill: var(--quiet); } svg text { font-family: system-ui, sans-serif; }
.plot svg { max-width: 720px; margin: 0 auto; } .chart text, .axis { font-size: 13px; }
.grid { stroke: var(--rule); } polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
polyline.faint { stroke: var(--a); stroke-width: 1; opacity: .45; } i.faint { background: var(--a); opacity: .45; }
polyline.a { stroke: var(--a); } polyline.b { stroke: var(--b); }
polyline.c { stroke: var(--c); } polyline.d { stroke: var(--d); }
circle.a, rect.hit { fill: var(--a); } circle.b, rect.miss { fill: var(--b); }
circle.c { fill: var(--c); } circle.d { fill: var(--d); }
i.a { background: var(--a); } i.b { background: var(--b); } i.c { background: var(--c); } i.d { background: var(--d); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: .85rem; margin-bottom: 6px; }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: 6px; vertical-align: middle; }
.confusion { margin: 0 auto; } .confusion rect { stroke: var(--rule); stroke-width: .5; }
.confusion text.light { fill: var(--panel); font-weight: 600; }
.split { display: grid; grid-template-columns: minmax(0, 3fr) minmax(200px, 1fr); gap: 24px; align-items: start; }
@media (max-width: 760px) { .split { grid-template-columns: 1fr; } }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(168px, 1fr)); gap: 12px; }
.cards.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
.card { padding: 12px; overflow: hidden; border-top: 4px solid var(--rule); }
.card.right { border-top-color: var(--a); } .card.wrong { border-top-color: var(--b); }
.card h3 { font-size: .75rem; font-weight: 400; color: var(--quiet); margin: 0 0 8px; overflow-wrap: anywhere; }
.card img { width: 100%; max-height: 320px; object-fit: contain; object-position: left; image-rendering: pixelated;
  border-radius: 4px; display: block; }
.strip { display: flex; gap: 12px; align-items: center; margin: 6px 0; } .strip small { width: 5em; flex: none; }
.strip img { width: 100%; image-rendering: pixelated; border-radius: 4px; }
.parts { display: flex; gap: 8px; } .parts > div { flex: 1; min-width: 0; } .parts small { color: var(--quiet); }
.text { font-size: .9rem; overflow-wrap: anywhere; white-space: pre-wrap; max-height: 24em; overflow: auto; }
.text.code { font-family: ui-monospace, monospace; font-size: .82rem; }
.said { margin: 8px 0 4px; font-weight: 600; font-size: .92rem; } .said small { font-weight: 400; color: var(--quiet); }
.chance { display: grid; grid-template-columns: minmax(1.2em, auto) 1fr 2.6em; gap: 8px;
  font-size: .75rem; align-items: center; }
.chance span { max-width: 7.5em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chance em { font-style: normal; text-align: right; }
.chance u { display: block; height: 6px; border-radius: 3px; background: var(--a); }
mark { background: none; color: inherit; } mark.right { color: var(--a); font-weight: 700; }
mark.wrong { color: var(--b); font-weight: 700; text-decoration: underline; }
mark.new { color: var(--a); } pre { padding: 14px 16px; overflow: auto; font-size: .82rem; line-height: 1.45; }
details { margin-top: 12px; } summary { cursor: pointer; } ul { padding-left: 1.2em; margin: 6px 0; }
table { border-collapse: collapse; margin-bottom: 12px; } td, th { padding: 3px 18px 3px 0; text-align: left; }
th { font-weight: 400; color: var(--quiet); } td { font-variant-numeric: tabular-nums; }
"""
