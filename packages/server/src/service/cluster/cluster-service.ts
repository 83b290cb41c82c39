import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';

/** The cluster as the registry shows it; implemented in `cluster/`. */
export interface ClusterPort {
  readonly id: string;
  look(): Promise<{
    readonly nodes: readonly (object & {
      readonly seenAtMs: number;
      readonly startedAtMs: number;
    })[];
    readonly drift: readonly string[];
    readonly skewed: readonly string[];
    readonly poolBudget: number | undefined;
  }>;
}

/** `GET /cluster`: the living nodes and what is wrong between them; for administrators (the ACL decides). */
export function createClusterService(uri: string, cluster: ClusterPort): Service {
  return {
    name: 'cluster',
    uri,
    match: 'exact',
    secured: true,
    async handle(request): Promise<Reply> {
      if (request.method !== 'GET') return { status: 405, headers: [['Allow', 'GET']] };
      const { nodes, drift, skewed, poolBudget } = await cluster.look();
      const body = {
        answeredBy: cluster.id,
        size: nodes.length,
        drift,
        skewed,
        ...(poolBudget !== undefined && { poolBudget }),
        nodes: nodes.map(({ seenAtMs, startedAtMs, ...node }) => ({
          ...node,
          startedAt: new Date(startedAtMs).toISOString(),
          seenAt: new Date(seenAtMs).toISOString(),
        })),
      };
      return {
        status: 200,
        headers: [
          ['Content-Type', 'application/json; charset=UTF-8'],
          ['Cache-Control', 'no-store'],
        ],
        body: JSON.stringify(body),
      };
    },
  };
}
