"""The look of the report: light and dark, narrow and wide, on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --dim: #59636e; --line: #d1d9e0; --card: #f6f8fa;
  --add: #1a7f37; --change: #9a5b00; --remove: #b42318; --warn: #9a5b00; --ok: #1a7f37; --link: #0b5cad;
  --lose: #d9730d; --gain: #2e7d5b; --move: #4f6bd8; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171b; --fg: #e3e7eb; --dim: #9aa4af; --line: #343b44;
  --card: #1c2127; --add: #56d364; --change: #e3a04f; --remove: #ff8178; --warn: #e3a04f; --ok: #56d364;
  --link: #7ab7ff; --lose: #e88b3a; --gain: #4fb286; --move: #7f95f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1rem clamp(.75rem, 3vw, 2rem) 4rem; background: var(--bg);
  color: var(--fg); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: .25rem 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.headline { font-size: 1.15rem; font-weight: 600; margin: .5rem 0; } .dim { color: var(--dim); }
.rehearsal { display: inline-block; background: var(--change); color: var(--bg); font-weight: 700; border-radius: .3rem;
  padding: .05rem .5rem; } .alarm { color: var(--remove); font-weight: 700; }
code, .mono { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.picture { overflow-x: auto; } .picture svg { min-width: 44rem; } td:last-child code { min-width: 9rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; }
  caption { text-align: left; padding: .4rem .6rem; color: var(--dim); }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-top: 1px solid var(--line); }
thead th { background: var(--card); border-top: 0; white-space: nowrap; } td p { margin: .15rem 0; }
th button { all: unset; cursor: pointer; font-weight: 700; }
th button::after { content: " \\2195"; color: var(--dim); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.mark { font-weight: 700; } .create { color: var(--add); } .update { color: var(--change); }
.delete { color: var(--remove); }
.upgrade { color: var(--change); } .before { color: var(--remove); } .after { color: var(--add); }
.risk { color: var(--warn); } .warn { color: var(--warn); font-weight: 600; }
.verdicts { list-style: none; padding: 0; margin: 0; display: grid; gap: .5rem; }
.verdicts > li { border: 1px solid var(--line); border-left: .35rem solid var(--dim); border-radius: .3rem;
  padding: .5rem .75rem; background: var(--card); overflow-wrap: anywhere; }
.verdicts .block, .verdicts .failed { border-left-color: var(--remove); }
.verdicts .review { border-left-color: var(--warn); }
.verdicts .allowed, .verdicts .pass { border-left-color: var(--ok); }
.verdicts ul { margin: .25rem 0 0; padding-left: 1.2rem; }
.label { font-weight: 700; text-transform: uppercase; font-size: .85em; letter-spacing: .03em; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .5rem 0; }
.tools label { display: grid; font-size: .85rem; color: var(--dim); } input, select, .pager button { font: inherit;
  padding: .3rem .5rem; border: 1px solid var(--line); border-radius: .3rem; background: var(--bg); color: var(--fg); }
.pager { display: flex; gap: .5rem; align-items: center; margin: .5rem 0; } [hidden] { display: none !important; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--fg); font: 13px system-ui, sans-serif; }
.flow { opacity: .55; } .flow.lose { fill: var(--lose); } .flow.gain { fill: var(--gain); }
.flow.change { fill: var(--move); }
.node { fill: var(--dim); } .skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; background: var(--bg); }
@media (max-width: 44rem) { table.stack thead { display: none; }
table.stack td { display: block; border: 0; padding: .1rem .6rem; }
  table.stack tr { display: block; border-top: 1px solid var(--line); padding: .4rem 0; } }
@media print { body { max-width: none; font-size: 11px; } .tools, .pager, .skip { display: none; }
.scroll { overflow: visible; }
  tr, li { break-inside: avoid; } }
"""
