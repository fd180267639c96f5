/** An identity provider on loopback that does what it is told, right or wrong. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { GenerateKeyPairResult, JWK } from 'jose';
import { Instant } from '../../src/domain/ids.ts';
import type { Log } from '../../src/ports/log.ts';
import { memoryStore } from '../../src/store/memory.ts';

export type Keys = GenerateKeyPairResult & { readonly jwk: JWK };

export async function makeKeys(kid: string, alg = 'RS256'): Promise<Keys> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export type Idp = {
  readonly url: string;
  /** Answers for its paths; what is not set is answered rightly. */
  answers: { keys?: Serve; discovery?: Serve };
  set: { keys: readonly JWK[] };
  asked: number;
  close(): Promise<void>;
};
type Serve = (request: IncomingMessage, response: ServerResponse) => void;

export async function startIdp(keys: readonly JWK[]): Promise<Idp> {
  const json = (response: ServerResponse, value: unknown): void => void response.end(JSON.stringify(value));
  const server: Server = createServer((request, response) => {
    if (request.url === '/.well-known/openid-configuration') {
      if (idp.answers.discovery) return idp.answers.discovery(request, response);
      return json(response, { issuer: idp.url, jwks_uri: `${idp.url}/keys` });
    }
    idp.asked += 1;
    if (idp.answers.keys) return idp.answers.keys(request, response);
    return json(response, idp.set);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const idp: Idp = {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    answers: {},
    set: { keys },
    asked: 0,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
  return idp;
}

export const sign = (
  claims: Record<string, unknown>,
  { privateKey, jwk }: Keys,
  header: Record<string, unknown> = {},
): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: jwk.kid ?? '', typ: 'JWT', ...header }).sign(privateKey);

const silent = (): void => {};
export const noLog: Log = { debug: silent, info: silent, warn: silent, error: silent };

/** Where nothing was kept before. */
export const noStore = () => ({ store: memoryStore({ now: () => Instant(0) }), log: noLog });
