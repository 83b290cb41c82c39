import type { CorsLists } from '../model/service.ts';

const BASE_HEADERS = 'Authorization, Content-Type, X-Requested-With, No-Auth-Challenge';

/** Lists of services that name none of their own (operations.md §10, row "default"). */
export const DEFAULT_CORS: CorsLists = {
  allowMethods: 'GET, PUT, POST, PATCH, DELETE',
  allowHeaders: BASE_HEADERS,
  exposeHeaders: '',
};
