// graphiql.mjs - GraphiQL over this server: queries by HTTP, subscriptions by WebSocket, both under the token in the bar, which the browser
// keeps until the tab is closed.
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/style.css';

const url = new URL('graphql', document.baseURI).href;
const input = document.getElementById('token');
// Storage may be forbidden; the token is then the page's alone.
const kept = (() => { try { return sessionStorage.getItem('caisson-token') ?? ''; } catch { return ''; } })();
input.value = kept;

// As it is written by hand or copied with its scheme.
const token = () => input.value.trim().replace(/^bearer\s+/i, '');
const headers = () => (token() ? { Authorization: `Bearer ${token()}` } : {});

// The client over WebSocket says its token once, when it connects: another token is another client.
let socket, socketToken;
function webSocket() {
  if (!socket || socketToken !== token()) {
    socket?.dispose();
    socketToken = token();
    socket = createClient({ url: url.replace(/^http/, 'ws'), connectionParams: headers });
  }
  return socket;
}

// What GraphiQL knows of the document is a moment old; whether it subscribes is read from what is sent.
function documentOf(text) {
  try { return parse(text); } catch { return undefined; }
}
const fetcher = (params, options) =>
  createGraphiQLFetcher({ url, headers: headers(), wsClient: webSocket() })(params, { ...options, documentAST: documentOf(params.query) });
const plugins = [explorerPlugin({ showAttribution: false })];
const defaultQuery = `# Write a query, or click one together
# in the explorer at the left.
# Ctrl-Space says what may stand here.
# The token above says who is asking.

{
  __typename
}
`;

// A link may hold a query: /graphql?query={…}&variables={…}.
const linked = new URLSearchParams(window.location.search);
const query = linked.get('query') ?? undefined, variables = linked.get('variables') ?? undefined;

const root = createRoot(document.getElementById('graphiql'));
function draw() {
  const forcedTheme = document.documentElement.classList.contains('dark-mode') ? 'dark' : 'light';
  root.render(createElement(GraphiQL, { fetcher, plugins, query, variables, defaultQuery, forcedTheme, showPersistHeadersSettings: false }));
}
input.addEventListener('change', () => {
  try { sessionStorage.setItem('caisson-token', token()); } catch { /* the page's alone */ }
});
new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
draw();
