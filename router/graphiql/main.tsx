import './workers.ts';
import 'graphiql/style.css';
import './page.css';
import { createRoot } from 'react-dom/client';
import { Page } from './page.tsx';
import { completeSignIn, keepSession, storedSession, type Session } from './session.ts';
import { loadSettings } from './settings.ts';

const root = createRoot(document.getElementById('page')!);
try {
  const settings = await loadSettings();
  let session: Session | null = storedSession();
  let fault: string | null = null;
  if (location.pathname === '/graphiql/callback') {
    try {
      session = await completeSignIn(settings, new URLSearchParams(location.search));
      keepSession(session);
    } catch (error) {
      fault = (error as Error).message;
    }
    // The code is used up, and belongs neither in the history nor in a bookmark.
    history.replaceState(null, '', '/graphiql');
  }
  root.render(<Page settings={settings} session={session} fault={fault} />);
} catch (error) {
  root.render(<p role="alert">{(error as Error).message}</p>);
}
