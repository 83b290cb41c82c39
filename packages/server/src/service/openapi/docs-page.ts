/** The reader page: one self-contained document that shows the description; nothing is loaded from elsewhere. */

const STYLE = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:62rem;margin:0 auto;padding:1rem}
h2{margin-top:2rem;border-bottom:1px solid #8886}
details{border:1px solid #8886;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer;display:flex;gap:.8rem;align-items:baseline}
.m{font:600 .8rem monospace;width:4.5rem;text-transform:uppercase}
.get{color:#1769aa}.post{color:#2e7d32}.put{color:#b26a00}.patch{color:#7b4bb3}.delete{color:#c62828}
code,pre{font-family:ui-monospace,monospace;font-size:.88rem}
pre{overflow:auto;background:#8881;padding:.6rem;border-radius:6px}
td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}
#f{width:100%;padding:.5rem;font:inherit}`;

/** Everything from the description goes in as text, never as markup. */
const SCRIPT = `
const el=(tag,props={},...children)=>{const e=Object.assign(document.createElement(tag),props);e.append(...children);return e};
const resolve=(doc,o)=>o&&o.$ref?o.$ref.slice(2).split('/').reduce((x,k)=>x?.[k.replace(/~1/g,'/').replace(/~0/g,'~')],doc):o;
const show=(value)=>el('pre',{},JSON.stringify(value,null,2));
function operation(doc,path,method,op,shared){
  const d=el('details',{},el('summary',{},el('span',{className:'m '+method},method),el('code',{},path),el('span',{},op.summary||'')));
  d.addEventListener('toggle',()=>{
    if(d.dataset.filled)return; d.dataset.filled='1';
    const params=[...(shared||[]),...(op.parameters||[])].map(p=>resolve(doc,p));
    if(params.length){const t=el('table',{},el('tr',{},...['parameter','in','description'].map(h=>el('th',{},h))));
      for(const p of params)t.append(el('tr',{},el('td',{},el('code',{},p.name)),el('td',{},p.in),el('td',{},p.description||'')));d.append(t)}
    for(const [type,c] of Object.entries(op.requestBody?.content||{}))d.append(el('h4',{},'Body: '+type),show(resolve(doc,c.schema)));
    for(const [status,r] of Object.entries(op.responses||{})){const a=resolve(doc,r);d.append(el('h4',{},status+' '+(a.description||'')));
      for(const [type,c] of Object.entries(a.content||{}))d.append(el('div',{},type),show(resolve(doc,c.schema)))}
  });
  return d}
const main=document.querySelector('main');
fetch(document.body.dataset.url,{headers:{Accept:'application/json'}}).then(r=>{if(!r.ok)throw new Error('HTTP '+r.status);return r.json()}).then(doc=>{
  document.title=doc.info.title+' API';
  main.replaceChildren(el('h1',{},doc.info.title+' '+doc.info.version),el('p',{},doc.info.description||''));
  const filter=el('input',{id:'f',type:'search',placeholder:'Filter by path or summary','ariaLabel':'Filter'});main.append(filter);
  const rows=[];const sections=new Map();
  for(const [path,item] of Object.entries(doc.paths))for(const method of ['get','post','put','patch','delete']){const op=item[method];if(!op)continue;
    const tag=op.tags?.[0]||'other';if(!sections.has(tag)){const s=el('section',{},el('h2',{},tag));sections.set(tag,s);main.append(s)}
    const row=operation(doc,path,method,op,item.parameters);row.dataset.text=(path+' '+(op.summary||'')).toLowerCase();rows.push(row);sections.get(tag).append(row)}
  filter.addEventListener('input',()=>{const q=filter.value.toLowerCase();for(const r of rows)r.hidden=!r.dataset.text.includes(q)});
}).catch(e=>main.replaceChildren(el('p',{role:'alert'},'The description could not be loaded: '+e.message)));`;

/** The page and the policy that lets run nothing but its own script. */
export function createDocsPage(
  descriptionUrl: string,
  hashOf: (text: string) => string,
): { readonly html: string; readonly policy: string } {
  const url = descriptionUrl.replace(/[&"<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Quorate API</title><style>${STYLE}</style></head><body data-url="${url}"><main><p>Loading …</p></main><script>${SCRIPT}</script></body></html>`;
  const policy = `default-src 'none'; connect-src 'self'; style-src 'sha256-${hashOf(STYLE)}'; script-src 'sha256-${hashOf(SCRIPT)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return { html, policy };
}
