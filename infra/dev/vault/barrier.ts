import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { writeAtomically } from '../state/secrets.ts';
import { newState, type VaultState } from './state.ts';
import { sealed } from './vault-error.ts';

/** AES-256-GCM: iv (12 bytes), tag (16), ciphertext. `use` is authenticated with it, so that one ciphertext cannot stand for another. */
function encrypt(key: Buffer, use: string, plain: Buffer): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(use));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), data]);
}

/** Undefined when it was not this key, or not this use, or not these bytes. */
function decrypt(key: Buffer, use: string, box: Buffer): Buffer | undefined {
  if (box.length < 28) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(use)).setAuthTag(box.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(box.subarray(28)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** A Vault's state between its file and the requests: out of reach while it is sealed. */
export interface Barrier {
  isSealed(): boolean;
  /** Forgets the key and the state. */
  seal(): void;
  /** False when it is not the key. */
  unseal(unsealKey: string): boolean;
  /** Throws when sealed. Not to be changed. */
  state(): VaultState;
  /** Runs on a draft that becomes the state when it is on disk; whatever it throws leaves everything as it was. */
  change<T>(work: (draft: VaultState) => T): T;
  /** Tokens are ciphertexts of the same key; they outlive a restart. */
  box(plain: Buffer): Buffer;
  unbox(box: Buffer): Buffer | undefined;
}

interface Open {
  readonly key: Buffer;
  readonly state: VaultState;
}

/** The file holds a random key that the unseal key opens, and the state, which that key opens. Made at the first start. */
export function openBarrier(stateDir: string, unsealKey: string): Barrier {
  const file = path.join(stateDir, 'vault.json');
  let opened: Open | undefined;

  const keyOf = (text: string): Buffer =>
    Buffer.from(hkdfSync('sha256', text, '', 'agentstore dev vault unseal key', 32));
  const open = (): Open => {
    if (!opened) throw sealed();
    return opened;
  };
  const save = (key: Buffer, sealedKey: string, state: VaultState): void => {
    const box = encrypt(key, 'state', serialize(state)).toString('base64');
    writeAtomically(file, JSON.stringify({ sealedKey, state: box }), 0o600);
  };
  const stored = (): { sealedKey: string; state: string } =>
    JSON.parse(fs.readFileSync(file, 'utf8')) as { sealedKey: string; state: string };

  if (!fs.existsSync(file)) {
    fs.mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const key = randomBytes(32);
    save(key, encrypt(keyOf(unsealKey), 'key', key).toString('base64'), newState());
  }
  return {
    isSealed: () => !opened,
    seal() {
      opened?.key.fill(0);
      opened = undefined;
    },
    unseal(text) {
      const found = stored();
      const key = decrypt(keyOf(text), 'key', Buffer.from(found.sealedKey, 'base64'));
      if (!key) return false;
      const state = decrypt(key, 'state', Buffer.from(found.state, 'base64'));
      if (!state) throw new Error(`${file} is damaged`);
      opened = { key, state: deserialize(state) as VaultState };
      return true;
    },
    state: () => open().state,
    change(work) {
      const { key, state } = open();
      const draft = structuredClone(state);
      const result = work(draft);
      save(key, stored().sealedKey, draft);
      opened = { key, state: draft };
      return result;
    },
    box: (plain) => encrypt(open().key, 'token', plain),
    unbox: (box) => decrypt(open().key, 'token', box),
  };
}
