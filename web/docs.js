// docs.js - the reference over the server's own document, or over that of the version which is chosen where there are several. The token is
// kept by the browser until it is taken away again.

// The document to show: the newest version's, unless the page's own address names another (?version=v1).
async function chooseDocument() {
  const answer = await fetch('docs/versions.json');
  const { versions, newest } = answer.ok ? await answer.json() : { versions: [], newest: undefined };
  if (versions.length < 2) return 'openapi.json';
  const wanted = new URLSearchParams(window.location.search).get('version');
  const shown = versions.includes(wanted) ? wanted : newest;
  const select = document.querySelector('#versions select');
  for (const name of versions) select.add(new Option(name, name, false, name === shown));
  select.addEventListener('change', () => { window.location.assign(`docs?version=${encodeURIComponent(select.value)}`); });
  document.getElementById('versions').hidden = false;
  const url = `${encodeURIComponent(shown)}/openapi.json`;
  document.getElementById('document').href = url;
  return url;
}

window.addEventListener('load', async () => {
  const url = await chooseDocument().catch(() => 'openapi.json');
  window.ui = window.SwaggerUIBundle({
    url,
    dom_id: '#docs',
    layout: 'BaseLayout',
    presets: [window.SwaggerUIBundle.presets.apis],
    deepLinking: true,
    persistAuthorization: true,
    displayRequestDuration: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 2,
    showExtensions: false,
    // Nothing is asked of another host.
    validatorUrl: null,
    onComplete: () => {
      const info = window.ui.specSelectors.info();
      document.title = `${info.get('title')} ${info.get('version')} – API reference`;
      document.querySelector('.bar-name').textContent = `${info.get('title')} ${info.get('version')}`;
    },
  });
});
