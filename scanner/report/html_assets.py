"""
Style and script of the HTML page; both stand in it under a hash, nothing is fetched.
"""

from __future__ import annotations

STYLE = """
:root{--bg:#f6f7f9;--card:#fff;--ink:#1b2230;--soft:#5b6577;--line:#e1e5ec;--accent:#3556d8;
--critical:#c2183c;--high:#d9570b;--medium:#b58900;--low:#2a7fb8;--good:#1d8a5b;--code:#eef1f6;
--shadow:0 1px 2px rgba(20,30,50,.06),0 4px 16px rgba(20,30,50,.05)}
@media (prefers-color-scheme:dark){:root{--bg:#0f131a;--card:#171d27;--ink:#e6eaf2;--soft:#98a3b6;
--line:#29313f;--accent:#8aa4ff;--critical:#ff5d7c;--high:#ff9350;--medium:#e6bf3c;--low:#5db4ee;
--good:#4cc38a;--code:#0f141c;--shadow:none}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header .in{max-width:1120px;margin:0 auto;padding:0 20px}
header{background:var(--card);border-bottom:1px solid var(--line);padding:26px 0 22px}
h1{font-size:26px;line-height:1.25;margin:6px 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:18px;margin:34px 0 12px;letter-spacing:-.01em}
h3{font-size:13px;margin:18px 0 6px;color:var(--soft);text-transform:uppercase;letter-spacing:.05em}
p{margin:6px 0}
a{color:var(--accent)}
.brand{font-weight:700;color:var(--accent);letter-spacing:.02em}
.soft{color:var(--soft)}
.small{font-size:13px}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.92em;overflow-wrap:anywhere}
code{background:var(--code);border-radius:4px;padding:1px 5px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin-top:22px}
.card,.panel{background:var(--card);border:1px solid var(--line);border-radius:12px;
box-shadow:var(--shadow)}
.card{padding:14px 16px}
.card b{display:block;font-size:22px;line-height:1.25;white-space:nowrap;letter-spacing:-.01em;
font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:13px}
.panel{padding:16px 18px;overflow-x:auto}
.three{display:grid;grid-template-columns:repeat(auto-fit,minmax(290px,1fr));gap:12px}
.three h3{margin-top:0}
.notice{border-left:4px solid var(--medium);padding:10px 14px;margin-top:14px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:600;color:var(--soft);font-size:12px;text-align:left;text-transform:uppercase;
letter-spacing:.04em}
th,td{padding:6px 12px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-right:0}
td.name{overflow-wrap:anywhere;min-width:9em}
td.bar{width:34%;min-width:70px}
svg{display:block;max-width:100%}
.bars{width:100%;height:14px}
.f-critical{fill:var(--critical)}.f-high{fill:var(--high)}.f-medium{fill:var(--medium)}
.f-low{fill:var(--low)}.f-accent{fill:var(--accent)}.f-good{fill:var(--good)}
.s-critical{stroke:var(--critical)}.s-high{stroke:var(--high)}.s-medium{stroke:var(--medium)}
.s-low{stroke:var(--low)}
.axis{stroke:var(--line)}.tick{fill:var(--soft);font-size:11px}.lane{fill:var(--ink);font-size:12px}
.chart{min-width:720px;width:100%;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;color:var(--soft);font-size:13px;margin:8px 0 0}
.legend svg{display:inline-block;vertical-align:-2px;margin-right:6px}
.chip{display:inline-block;border-radius:999px;padding:1px 10px;font-size:12px;font-weight:600;
white-space:nowrap;border:1px solid currentColor}
.critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}
.low{color:var(--low)}.good{color:var(--good)}
.live{background:var(--critical);border-color:var(--critical);color:#fff}
@media (prefers-color-scheme:dark){.live{color:#22060d}}
.tools{display:flex;flex-wrap:wrap;gap:10px;align-items:center;position:sticky;top:0;z-index:2;
background:var(--bg);padding:10px 0}
.tools[hidden]{display:none}
.tools input[type=search]{flex:1 1 240px;min-width:0}
.tools input[type=search],.tools select{font:inherit;color:inherit;background:var(--card);
border:1px solid var(--line);border-radius:8px;padding:8px 12px}
.tools label{display:inline-flex;gap:5px;align-items:center;font-size:14px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.finding{margin-bottom:10px;padding:0;overflow:hidden}
.finding[hidden]{display:none}
.finding summary{cursor:pointer;list-style:none;display:grid;gap:2px 12px;padding:12px 16px;
grid-template-columns:84px minmax(0,1fr) auto;align-items:baseline}
.finding summary::-webkit-details-marker{display:none}
.finding summary:hover{background:color-mix(in srgb,var(--accent) 5%,transparent)}
.finding .what{font-weight:600;overflow-wrap:anywhere}
.finding .at{grid-column:2/4;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.finding .badges{display:flex;gap:6px;flex-wrap:wrap;justify-content:flex-end}
.finding .body{border-top:1px solid var(--line);padding:6px 18px 18px;overflow-x:auto}
dl{display:grid;grid-template-columns:130px minmax(0,1fr);gap:4px 14px;margin:10px 0;font-size:14px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
ol,ul{margin:6px 0;padding-left:22px}
li{margin:3px 0;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:13px;padding:34px 20px 40px;text-align:center}
@media (max-width:640px){h1{font-size:21px}main,header .in{padding:0 14px}
.cards{grid-template-columns:repeat(2,1fr)}
.finding summary{grid-template-columns:minmax(0,1fr)}
.finding .at{grid-column:auto}.finding .badges{justify-content:flex-start}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:6px}
.tools{position:static}
.places thead{display:none}.places,.places tbody,.places tr,.places td{display:block;width:100%}
.places td{border:0;padding:0}.places tr{border-bottom:1px solid var(--line);padding:8px 0}}
@media print{.tools{display:none}.finding{break-inside:avoid}body{background:#fff}}
"""

SCRIPT = """
(function(){
var tools=document.getElementById('tools');if(!tools)return;tools.hidden=false;
var all=[].slice.call(document.querySelectorAll('.finding'));
var text=document.getElementById('q'),state=document.getElementById('state'),
shown=document.getElementById('shown'),
boxes=[].slice.call(tools.querySelectorAll('input[type=checkbox]'));
var hay=all.map(function(one){return one.textContent.toLowerCase()});
function apply(){
var words=text.value.toLowerCase().split(/\\s+/).filter(Boolean),on={},count=0;
boxes.forEach(function(box){on[box.value]=box.checked});
all.forEach(function(one,i){
var ok=on[one.dataset.severity]!==false&&
(!state.value||(' '+one.dataset.state+' ').indexOf(' '+state.value+' ')>=0)&&
words.every(function(word){return hay[i].indexOf(word)>=0});
one.hidden=!ok;if(ok)count++});
shown.textContent=count===all.length?'':count+' of '+all.length+' shown'}
text.addEventListener('input',apply);state.addEventListener('change',apply);
boxes.forEach(function(box){box.addEventListener('change',apply)});
document.addEventListener('keydown',function(event){
if(event.key==='/'&&document.activeElement!==text){event.preventDefault();text.focus()}});
})();
"""
