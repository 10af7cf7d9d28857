// docs.js - the reference over the server's own document. The token is kept by the browser until it is taken away again.
window.addEventListener('load', () => {
  window.ui = window.SwaggerUIBundle({
    url: 'openapi.json',
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
