// A text editor for queries: highlighting, completion, the place of an error. Loaded when a page has one.

import { autocompletion, type CompletionContext, type CompletionSource, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, type StreamParser, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, placeholder as placeholderText } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

export interface Language { keywords: string[]; functions: string[]; comment?: string; operators?: RegExp }

const style = HighlightStyle.define([
  { tag: tags.keyword, class: "tok-keyword" },
  { tag: tags.string, class: "tok-string" },
  { tag: tags.number, class: "tok-number" },
  { tag: tags.comment, class: "tok-comment" },
  { tag: tags.function(tags.name), class: "tok-function" },
  { tag: tags.regexp, class: "tok-regexp" },
  { tag: tags.special(tags.variableName), class: "tok-special" },
]);

function parser(language: Language): StreamParser<unknown> {
  const keywords = new Set(language.keywords.map((word) => word.toLowerCase()));
  const functions = new Set(language.functions.map((word) => word.toLowerCase()));
  return {
    tokenTable: { fn: tags.function(tags.name), special: tags.special(tags.variableName) },
    token(stream) {
      if (stream.eatSpace()) return null;
      if (language.comment && stream.match(language.comment)) {
        stream.skipToEnd();
        return "comment";
      }
      if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/) || stream.match(/^`[^`]*`?/)) return "string";
      if (stream.match(/^\/(?:[^/\\\s]|\\.)+\//)) return "regexp";
      if (stream.match(/^-?\d+(?:\.\d+)?(?:ms|[smhdw])?\b/)) return "number";
      const word = stream.match(/^[@\w][\w.@-]*/) as RegExpMatchArray | null;
      if (word) {
        const name = word[0].toLowerCase();
        if (keywords.has(name)) return "keyword";
        if (functions.has(name) && stream.match(/^\s*[({]/, false)) return "fn";
        return name.startsWith("@") ? "special" : null;
      }
      stream.next();
      return null;
    },
  };
}

const setError = StateEffect.define<number | null>();
const errorMark = Decoration.mark({ class: "editor-error" });
const errors = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setError)) continue;
      if (effect.value === null) return Decoration.none;
      const length = transaction.state.doc.length;
      const from = Math.min(effect.value, Math.max(0, length - 1));
      return length === 0 ? Decoration.none : Decoration.set([errorMark.range(from, Math.min(from + 1, length))]);
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export interface EditorProps {
  value: string;
  change: (value: string) => void;
  run: () => void;
  language: Language;
  /** Names to complete besides the language's own words. */
  names?: string[];
  label: string;
  placeholder?: string;
  /** Offset of what is wrong. */
  errorAt?: number | null;
}

export default function Editor({ value, change, run, language, names = [], label, placeholder = "", errorAt = null }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ change, run, names });
  latest.current = { change, run, names };

  useEffect(() => {
    if (!host.current) return;
    const complete: CompletionSource = (context: CompletionContext) => {
      const word = context.matchBefore(/[@\w.]+/);
      if (!word && !context.explicit) return null;
      return {
        from: word?.from ?? context.pos,
        options: [
          ...latest.current.names.map((name) => ({ label: name, type: "variable" })),
          ...language.keywords.map((name) => ({ label: name, type: "keyword" })),
          ...language.functions.map((name) => ({ label: name, type: "function", apply: `${name}(` })),
        ],
        validFor: /^[@\w.]*$/,
      };
    };
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
    view.current = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          EditorView.cspNonce.of(nonce),
          history(),
          new Compartment().of(StreamLanguage.define(parser(language))),
          syntaxHighlighting(style),
          errors,
          placeholderText(placeholder),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label }),
          autocompletion({ override: [complete] }),
          keymap.of([{ key: "Mod-Enter", run: () => { latest.current.run(); return true; } }, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.change(update.state.doc.toString());
          }),
        ],
      }),
    });
    return () => {
      view.current?.destroy();
      view.current = null;
    };
  }, [language, label, placeholder]); // eslint-disable-line

  useEffect(() => {
    const known = view.current;
    if (known && known.state.doc.toString() !== value) known.dispatch({ changes: { from: 0, to: known.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({ effects: setError.of(errorAt) });
  }, [errorAt]);

  return <div className="editor" ref={host} />;
}
