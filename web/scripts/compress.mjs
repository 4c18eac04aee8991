// Puts a gzipped copy beside every file of dist that gets smaller by it: the binary sends that one.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(js|css|svg)$/.test(name)) continue;
  const plain = readFileSync(new URL(name, dist));
  const packed = gzipSync(plain, { level: 9 });
  if (packed.length < plain.length) writeFileSync(new URL(`${name}.gz`, dist), packed);
}
