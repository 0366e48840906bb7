import { useState } from 'preact/hooks';
import { bytesText, readTextFile, type Attachment } from './attachments.ts';
import { useShared } from './shared.ts';

export interface Attachments {
  readonly files: readonly Attachment[];
  /** Why the last one was not taken, in words. */
  readonly problem: string | null;
  add(files: Iterable<File>): Promise<void>;
  remove(file: Attachment): void;
  clear(): void;
}

/** The files of the message that is being written. */
export function useAttachments(): Attachments {
  const { chat, words, say } = useShared();
  const [files, setFiles] = useState<readonly Attachment[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  return {
    files,
    problem,
    add: async (added) => {
      setProblem(null);
      for (const file of added) {
        const limit = chat.state.limits.attachmentBytes;
        const read = await readTextFile(file, limit);
        if (typeof read !== 'string') setFiles((before) => [...before, read]);
        else {
          const text =
            read === 'too-large'
              ? words.fileTooLarge(file.name, bytesText(limit, words.locale))
              : words.fileNotText(file.name);
          setProblem(text);
          say(text);
        }
      }
    },
    remove: (file) => setFiles((before) => before.filter((other) => other !== file)),
    clear: () => {
      setFiles([]);
      setProblem(null);
    },
  };
}
