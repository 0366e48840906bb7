import fs from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * The machine's own Chromium (CHROMIUM, or where distributions put it), headless. It talks to loopback only: its own services are switched off.
 * Throws a sentence when there is none; a browser suite that cannot run has failed.
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? places.find((file) => fs.existsSync(file));
  if (!executablePath)
    throw new Error('There is no Chromium: install the package chromium, or set CHROMIUM.');
  return chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid!() !== 0, // root cannot have one
    ignoreDefaultArgs: ['--disable-back-forward-cache'], // a visitor's browser has one
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** What a page did that it must not: errors, refused content, anything asked of a host other than this machine. */
export function watchFaults(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && hostname !== '127.0.0.1') faults.push(`asked ${request.url()}`);
  });
  return faults;
}
