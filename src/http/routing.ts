/**
 * Which code answers which path. Every request passes the checks of `access.ts` first; every answer gets the headers that
 * keep pages and mail apart.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { LoginThrottle } from '../sasl/throttle.ts';
import type { Scope } from '../delivery/scopes.ts';
import { type Verdict, checkPassword, holdBack, isAutodiscover, isForeignPage, judge, pathOf } from './access.ts';
import { addEthereal } from './compatible/ethereal.ts';
import { addGreenmail } from './compatible/greenmail.ts';
import { addInbucket } from './compatible/inbucket.ts';
import { addMailhog } from './compatible/mailhog.ts';
import { addMailpit } from './compatible/mailpit.ts';
import { addSetupDocuments } from './connect/documents.ts';
import { addOAuth } from './oauth.ts';
import { addOpenApi } from './openapi.ts';
import { addPages } from './pages.ts';
import { CONSOLE_PATH, EVENTS_PATH, FEED_PATH, type HttpOptions, MAILHOG_SOCKET_PATH } from './parts.ts';
import { HttpProblem, plain, problemOf, problemResponse } from './problem.ts';
import { scopeView } from './scope-view.ts';
import { type App, type Environment, type HttpContext, type Route, addRoute } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { connectRoutes } from './routes/connect.ts';
import { conversationExportRoutes } from './routes/conversation-exports.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { diagnosesRoutes } from './routes/diagnoses.ts';
import { faultRoutes } from './routes/faults.ts';
import { addHealth } from './routes/health.ts';
import { journeyRoutes } from './routes/journey.ts';
import { composeRoutes } from './routes/compose.ts';
import { mailboxRoutes } from './routes/mailboxes.ts';
import { lessonRoutes } from './routes/lessons.ts';
import { messageRoutes } from './routes/messages.ts';
import { readingRoutes } from './routes/readings.ts';
import { reportRoutes } from './routes/reports.ts';
import { scopeRoutes } from './routes/scopes.ts';
import { settingsRoutes } from './routes/settings.ts';
import { statusRoutes } from './routes/status.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { waitingRoutes } from './routes/waiting.ts';

const INBUCKET_SOCKETS = [
  '/api/v2/monitor/messages',
  '/api/v2/monitor/messages/:name',
  '/api/v1/monitor/messages',
  '/api/v1/monitor/messages/:name',
];

const ROUTES: readonly Route[] = [
  ...statusRoutes,
  ...settingsRoutes,
  ...accountRoutes,
  ...mailboxRoutes,
  ...readingRoutes,
  ...tokenRoutes,
  ...scopeRoutes,
  ...faultRoutes,
  ...lessonRoutes,
  ...waitingRoutes, // before those with {id}
  ...messageRoutes,
  ...journeyRoutes,
  ...composeRoutes,
  ...reportRoutes,
  // Before the routes of one conversation: `export` could be an id.
  ...conversationExportRoutes,
  ...conversationRoutes,
  ...connectRoutes,
  ...diagnosesRoutes,
];

/** What the pages may load: their own files; no page elsewhere may frame them. */
const PAGE_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "frame-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Outlook writes `/AutoDiscover/AutoDiscover.xml`, others write other mixtures. */
function routedPath(url: string, webroot: string | undefined): string {
  const path = pathOf(url, webroot);
  return isAutodiscover(path) ? path.toLowerCase() : path;
}

/** @param appOf the same for the view of a test scope */
function createApp(options: HttpOptions, throttle: LoginThrottle, appOf: (scope: Scope) => App): App {
  const app: App = new Hono<Environment>({
    getPath: (request) => routedPath(request.url, options.webroot),
  });
  app.use(async (context, next) => {
    const address = context.env.incoming?.socket.remoteAddress;
    if (options.scope) {
      // Its token has been checked on the way here.
      context.set('client', { address, administers: true });
      return next();
    }
    const { method, path } = context.req;
    const asking = { method, path, upgrade: false, address, header: (name: string) => context.req.header(name) };
    await checkPassword(asking, options);
    const verdict = judge(asking, options);
    const isForeign = isForeignPage(asking, options);
    if (verdict.type === 'refused') {
      await holdBack(verdict, address, throttle);
      context.res = refusal(context, verdict);
    } else if (verdict.scope) {
      context.res = await appOf(verdict.scope).fetch(context.req.raw, context.env);
      if (isForeign) openTo(context);
      return;
    } else if (isForeign && method === 'OPTIONS') {
      context.res = new Response(null, { status: 204, headers: PREFLIGHT });
    } else {
      context.set('client', { address, administers: verdict.administers });
      await next();
    }
    addSafety(context.res.headers);
    if (isForeign) openTo(context);
  });
  addHealth(app, options);
  addEthereal(app, options);
  addGreenmail(app, options);
  app.on('GET', [FEED_PATH, CONSOLE_PATH, EVENTS_PATH, MAILHOG_SOCKET_PATH, ...INBUCKET_SOCKETS], () => {
    throw new HttpProblem(426, 'this is a WebSocket', { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } });
  });
  addInbucket(app, options); // before Mailpit's, too
  addMailhog(app, options); // before Mailpit's, which answer all the rest of /api/v1
  addMailpit(app, options);
  addOAuth(app, options);
  addOpenApi(app, ROUTES, options.version);
  for (const route of ROUTES) addRoute(app, route, options);
  addSetupDocuments(app, options); // before the pages, of which one is /connect
  addPages(app, options.pagesFolder);
  app.notFound((context) => {
    const { method, path } = context.req;
    return isApi(path)
      ? problemResponse(new HttpProblem(404, `there is no ${method} ${path.slice(0, 200)}: see /api/docs`))
      : plain(404, 'there is nothing here');
  });
  app.onError((error, context) => answerError(error, context, options));
  return app;
}

export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** Answers requests of Node's HTTP server. */
export function requestListener(options: HttpOptions, throttle: LoginThrottle): Listener {
  /** Made anew when a scope has been extended: it is another value then. */
  const ofScopes = new WeakMap<Scope, App>();
  const appOf = (scope: Scope): App => {
    let made = ofScopes.get(scope);
    if (!made) ofScopes.set(scope, (made = createApp(scopeView(options, options.scopes!, scope), throttle, appOf)));
    return made;
  };
  const app = createApp(options, throttle, appOf);
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    // HTTP/1.0 without a Host field.
    hostname: 'localhost',
    errorHandler: (error) => {
      const { name, message } = error as Error;
      if (name === 'RequestError') return plain(400, message);
      options.log('error', 'http: a fault of ours', error);
      return plain(500, 'a fault of ours; the log of the server has its cause');
    },
  });
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

function answerError(error: Error, context: HttpContext, options: HttpOptions): Response {
  const { method, path } = context.req;
  let problem = problemOf(error);
  if (!problem) {
    // A client that leaves in the middle of its request is no fault of anybody.
    const hasLeft = context.env.incoming?.destroyed === true && context.env.incoming.errored !== null;
    if (!hasLeft) options.log('error', `http ${method} ${path}: a fault of ours`, error);
    problem = new HttpProblem(500, 'a fault of ours; the log of the server has its cause');
  }
  const response = isCompatible(path) ? plain(problem.status, problem.message) : problemResponse(problem);
  // What of the body has not been read would be taken for the next request.
  if (problem.status === 413) response.headers.set('Connection', 'close');
  return response;
}

// ------------------------------------------------------------------------------------------------------ answers

function isApi(path: string): boolean {
  return path.startsWith('/api/');
}

/** Other tools' APIs, whose errors are lines of text. */
function isCompatible(path: string): boolean {
  return !path.startsWith('/api/glass/') && path !== '/api/openapi.json';
}

type Refused = Extract<Verdict, { type: 'refused' }>;

function refusal(context: HttpContext, { status, detail, challenge }: Refused): Response {
  const { path } = context.req;
  const response = isCompatible(path) ? plain(status, detail) : problemResponse(new HttpProblem(status, detail));
  if (challenge !== undefined) response.headers.set('WWW-Authenticate', challenge);
  return response;
}

const SAFETY = {
  'Content-Security-Policy': PAGE_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Lets the page elsewhere read the answer: Fetch §3.3. */
function openTo(context: HttpContext): void {
  const { headers } = context.res;
  headers.set('Access-Control-Allow-Origin', context.req.header('origin') ?? '');
  headers.append('Vary', 'Origin');
  headers.set('Cross-Origin-Resource-Policy', 'cross-origin');
}

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, Last-Event-ID',
  'Access-Control-Max-Age': '600',
};

/** What a route has said itself stays. */
function addSafety(headers: Headers): void {
  for (const [name, value] of Object.entries(SAFETY)) if (!headers.has(name)) headers.set(name, value);
}
