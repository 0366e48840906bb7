import { errors, type Provider } from 'oidc-provider';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import { accountOfPassword } from './accounts.store.ts';
import { faultText, showPage, signInForm, type ProviderContext } from './pages.ts';

const longestForm = 8_192;

/**
 * The page between the authorization request and its answer: `GET` shows the sign-in form, `POST` checks it and sends the browser on.
 * Which request it belongs to is known by the interaction's signed cookie, so a form from elsewhere finds none.
 */
export function signInRoutes(options: { provider: Provider; database: Database; log: Log }) {
  const { provider, database, log } = options;
  return async (ctx: ProviderContext, next: () => Promise<void>): Promise<void> => {
    if (!/^\/sign-in\/[\w-]+$/.test(ctx.path)) return next();
    try {
      await answer(ctx);
    } catch (error) {
      const isOver = error instanceof errors.SessionNotFound;
      if (!isOver) log.error({ err: error }, 'sign-in failed');
      ctx.status = isOver ? 400 : 500;
      showPage(ctx, {
        title: 'This did not work',
        main: faultText(
          isOver
            ? 'This sign-in has expired, or was opened in another browser. Start again from where you came.'
            : 'Something failed on our side. Try again in a moment.',
        ),
      });
    }
  };

  async function answer(ctx: ProviderContext): Promise<void> {
    const { params, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
    const finish = async (result: Parameters<Provider['interactionResult']>[2]): Promise<void> => {
      ctx.status = 303;
      ctx.redirect(
        await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }),
      );
    };
    // The only other question is an explicit prompt=consent; all clients are our own, so the answer is yes.
    if (prompt.name !== 'login') return finish({ consent: {} });

    const client = await provider.Client.find(String(params['client_id']));
    const show = (email: string, error?: string): void =>
      showPage(ctx, {
        title: 'Sign in',
        main: signInForm({ client: client?.clientName ?? 'the store', email, ...(error ? { error } : {}) }),
      });
    if (ctx.method !== 'POST')
      return show(typeof params['login_hint'] === 'string' ? params['login_hint'] : '');

    const form = await readForm(ctx);
    if (!form) {
      ctx.status = 413;
      return show('', 'This form is too long.');
    }
    if (form.has('cancel'))
      return finish({ error: 'access_denied', error_description: 'The sign-in was cancelled.' });
    const email = form.get('email') ?? '';
    const account = await accountOfPassword(database, email, form.get('password') ?? '');
    if (account) return finish({ login: { accountId: account.subject } });
    ctx.status = 422;
    show(email, 'There is no account with this e-mail and password.');
  }
}

async function readForm(ctx: ProviderContext): Promise<URLSearchParams | undefined> {
  let text = '';
  for await (const chunk of ctx.req.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > longestForm) return undefined;
  }
  return new URLSearchParams(text);
}
