"""The look of the report: light and dark, narrow and wide, on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --dim: #59636e; --line: #d1d9e0; --card: #f6f8fa;
  --add: #1a7f37; --change: #9a5b00; --remove: #b42318; --warn: #9a5b00; --ok: #1a7f37; --link: #0b5cad;
  --lose: #d9730d; --gain: #2e7d5b; --move: #4f6bd8; }
@media screen and (prefers-color-scheme: dark) { :root { --bg: #14171b; --fg: #e3e7eb; --dim: #9aa4af;
  --line: #343b44; --card: #1c2127; --add: #56d364; --change: #e3a04f; --remove: #ff8178; --warn: #e3a04f;
  --ok: #56d364; --link: #7ab7ff; --lose: #e88b3a; --gain: #4fb286; --move: #7f95f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 82rem; padding: 1rem clamp(.75rem, 3vw, 2rem) 4rem; background: var(--bg);
  color: var(--fg); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.05rem; font-weight: 600; line-height: 1.4; margin: .25rem 0; color: var(--dim); }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
.headline { font-size: 1.45rem; line-height: 1.3; font-weight: 650; margin: .35rem 0 .75rem; }
.dim { color: var(--dim); font-weight: 400; } header p { margin: .35rem 0; }
.next { border-left: .25rem solid var(--link); padding-left: .6rem; }
.rehearsal { display: inline-block; background: var(--change); color: var(--bg); font-weight: 700; border-radius: .3rem;
  padding: 0 .45rem; } .alarm { color: var(--remove); font-weight: 700; }
code, .mono { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.next.refused { border-color: var(--remove); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0; } a { color: var(--link); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
.tall { max-height: 80vh; overflow-y: auto; } .tall thead th { position: sticky; top: 0; }
table { border-collapse: collapse; width: 100%; overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-top: 1px solid var(--line); }
thead th { background: var(--card); border-top: 0; white-space: nowrap; } td p { margin: 0 0 .15rem; }
table.changes, #people { table-layout: fixed; min-width: 44rem; }
.changes th:nth-child(1) { width: 25%; } .changes th:nth-child(2) { width: 23%; }
.changes th:nth-child(4) { width: 20%; }
#people th:nth-child(1) { width: 24%; } #people th:nth-child(2) { width: 6rem; }
#people th:nth-child(5) { width: 24%; }
.flows { overflow-wrap: break-word; } .flows th:nth-child(1) { width: 9rem; }
.flows td:first-child { font-variant-numeric: tabular-nums; }
th button { all: unset; cursor: pointer; font-weight: 700; }
th button::after { content: " \\2195"; color: var(--dim); }
th[aria-sort=ascending] button::after { content: " \\2191"; color: var(--fg); }
th[aria-sort=descending] button::after { content: " \\2193"; color: var(--fg); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.mark { font: 700 1em/1 ui-monospace, monospace; } .create { color: var(--add); } .update { color: var(--change); }
.delete { color: var(--remove); } .upgrade { color: var(--change); }
.before { color: var(--remove); } .after { color: var(--add); }
.risk { color: var(--warn); } .warn { color: var(--warn); font-weight: 600; }
.verdicts { list-style: none; padding: 0; margin: 0; display: grid; gap: .5rem; }
.verdicts > li { border: 1px solid var(--line); border-left: .35rem solid var(--dim); border-radius: .3rem;
  padding: .5rem .75rem; background: var(--card); }
.verdicts .block, .verdicts .failed { border-left-color: var(--remove); }
.block > .label, .failed > .label { color: var(--remove); } .review > .label { color: var(--warn); }
.allowed > .label { color: var(--ok); }
.verdicts .review { border-left-color: var(--warn); }
.verdicts .allowed, .verdicts .pass { border-left-color: var(--ok); }
.verdicts ul { margin: .25rem 0 0; padding-left: 1.2rem; } .notes { padding-left: 1.2rem; }
.label { font-weight: 700; text-transform: uppercase; font-size: .85em; letter-spacing: .03em; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .5rem 0; }
.tools label { display: grid; font-size: .85rem; color: var(--dim); } input, select, .pager button { font: inherit;
  padding: .3rem .5rem; border: 1px solid var(--dim); border-radius: .3rem; background: var(--bg); color: var(--fg); }
.pager button:disabled { opacity: .5; }
.pager { display: flex; gap: .5rem; align-items: center; margin: .5rem 0; } [hidden] { display: none !important; }
summary { cursor: pointer; margin: .75rem 0 .4rem; font-weight: 600; }
.picture svg { width: 100%; height: auto; display: block; margin-bottom: .75rem; }
svg text { fill: var(--fg); font: 13px system-ui, sans-serif; }
svg.bar { display: block; width: 7rem; max-width: 100%; height: .35rem; }
.flow { opacity: .6; } .flow.lose { fill: var(--lose); } .flow.gain { fill: var(--gain); }
.flow.change { fill: var(--move); } .flow.rest { fill: var(--dim); opacity: .25; }
.node { fill: var(--dim); } .skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; background: var(--bg); }
@media screen and (max-width: 48rem) { .picture { display: none; } table.changes { min-width: 0; }
  table.stack thead { position: absolute; left: -99rem; } table.stack, table.stack tbody { display: block; }
  table.stack td { display: block; border: 0; padding: .1rem .6rem; } table.stack td:empty { display: none; }
  table.stack tr { display: block; border-top: 1px solid var(--line); padding: .4rem 0; }
  .headline { font-size: 1.2rem; } .flows th:nth-child(1) { width: 5.5rem; } svg.bar { width: 4.5rem; } }
@media print { :root { font-size: 10px; } body { max-width: none; font-size: 1rem; padding: 0; }
  .tools, .pager button, .skip { display: none; }
  nav { display: none; } .scroll { overflow: visible; border: 0; max-height: none; }
  table.changes, #people { min-width: 0; }
  tr, li, .picture { break-inside: avoid; } h2, h3, h2 + p { break-after: avoid; } }
"""
