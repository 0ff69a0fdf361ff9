"""How pages look, on a screen and on A4. All text has a contrast of 7 : 1 or more (WCAG 2.2, level AAA)."""

from __future__ import annotations

from typing import Final

INK: Final = "#1b1f24"
LINE: Final = "#12497f"
BAND: Final = "#cfe5d4"
BAND_EDGE: Final = "#3f7a4d"
TARGET: Final = "#8a2b06"
GRID: Final = "#d5dae0"
BELOW: Final = "#7a2a08"
AT: Final = "#4a4f57"
ABOVE: Final = LINE
"""White can be read on these three, and they stay apart without colour, each darker or lighter."""

STYLE: Final = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #fff; color: {INK};
  font: 15px/1.45 system-ui, "Segoe UI", Arial, sans-serif; }}
main {{ max-width: 62rem; margin: 0 auto; padding: 1.5rem; }}
h1 {{ margin: 0 0 .2rem; font-size: 1.6rem; }}
h2 {{ margin: 2rem 0 .5rem; padding-bottom: .2rem; font-size: 1.15rem; border-bottom: 2px solid {LINE}; }}
p {{ margin: .2rem 0 .6rem; }}
.about {{ color: #3c434b; }}
.chart {{ display: grid; grid-template-columns: minmax(0, 9fr) minmax(0, 11fr); gap: .5rem 1.5rem;
  align-items: start; }}
.chart.aims {{ grid-template-columns: minmax(0, 8fr) minmax(0, 12fr); column-gap: 1rem; }}
.chart.wide {{ grid-template-columns: minmax(0, 1fr); }}
.chart figure {{ margin: 0; }}
.chart.bars figure {{ max-width: 34rem; }}
tbody th {{ white-space: nowrap; }}
svg {{ display: block; width: 100%; height: auto; }}
figcaption {{ display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem; }}
.key::before {{ content: ""; display: inline-block; width: 1.4rem; margin-right: .4rem;
  vertical-align: middle; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
.key.line::before {{ height: 0; border-top: 3px solid {LINE}; }}
.key.target::before {{ width: .7rem; height: .7rem; border: 2px solid {TARGET}; transform: rotate(45deg); }}
.key.band::before {{ height: .8rem; background: {BAND}; border: 1px dashed {BAND_EDGE}; }}
.key.below::before, .key.at::before, .key.above::before {{ width: .8rem; height: .8rem; }}
.key.below::before {{ background: {BELOW}; }}
.key.at::before {{ background: {AT}; }}
.key.above::before {{ background: {ABOVE}; }}
.warning {{ padding: .5rem .8rem; border: 2px solid {TARGET}; font-weight: 600; }}
.matrices {{ display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); }}
.matrices table {{ table-layout: fixed; }}
.matrices > *, .scroll, .beside {{ min-width: 0; overflow-x: auto; }}
table {{ width: 100%; margin: 0 0 1rem; border-collapse: collapse; font-size: .88rem; }}
.beside table {{ font-size: .82rem; }}
.beside th, .beside td {{ padding-left: .3rem; padding-right: .3rem; }}
caption {{ padding: 0 0 .3rem; text-align: left; font-weight: 600; }}
th, td {{ padding: .25rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid {GRID}; }}
thead th {{ border-bottom: 1.5px solid {INK}; }}
tbody th {{ font-weight: 500; }}
.number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
.small {{ display: block; color: #3c434b; font-size: .92em; }}
@media screen and (max-width: 46rem) {{
  main {{ padding: 1rem; }}
  .chart, .chart.aims {{ grid-template-columns: minmax(0, 1fr); }}
  table, .beside table {{ font-size: .78rem; }}
  th, td, .beside th, .beside td {{ padding-left: .2rem; padding-right: .2rem; }}
  tbody th {{ white-space: normal; }}
}}
@page {{ size: A4; margin: 14mm 12mm; }}
@media print {{
  :root {{ font-size: 9.5pt; }}
  body {{ font-size: 1rem; }}
  h2 {{ margin-top: 1.2rem; }}
  th, td {{ padding: .15rem .4rem; }}
  main {{ max-width: none; padding: 0; }}
  svg, svg * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  h2, caption {{ break-after: avoid; }}
  .matrices > *, .scroll, .beside {{ overflow: visible; }}
  .chart.bars figure {{ max-width: 25rem; }}
  .beside table {{ font-size: .78rem; }}
  .beside th, .beside td {{ padding-left: .2rem; padding-right: .2rem; }}
  figure, section.whole, tr, .matrices > * {{ break-inside: avoid; }}
  thead {{ display: table-header-group; }}
}}
"""
