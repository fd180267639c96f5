/** One release. */
import type { ReleaseView } from '../../../src/contract/wire.ts';
import { useResource } from '../api/use-resource.ts';
import { ErrorBox, Loading } from '../parts/notices.tsx';

export function ReleasePage({ id }: { readonly id: string }) {
  const { value, error } = useResource<ReleaseView>(`/v1/releases/${encodeURIComponent(id)}`, {
    on: (event) => event['release'] === id,
  });
  return (
    <>
      {error ? <ErrorBox error={error} /> : null}
      {value ? (
        <h1>
          {value.service} {value.version}
        </h1>
      ) : error ? null : (
        <Loading of="the release" />
      )}
    </>
  );
}
