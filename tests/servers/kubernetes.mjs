// SPDX-License-Identifier: MIT
//
// As much of a Kubernetes API server as `kubectl get namespaces` wants.

import { openGuarded } from './guarded.mjs';

const json = (response, status, value) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

const status = (code, reason) => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: reason, reason, code });
const namespace = (name) => ({ metadata: { name }, spec: {}, status: { phase: 'Active' } });

const ANSWERS = {
  '/version': { major: '1', minor: '30', gitVersion: 'v1.30.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList', groupVersion: 'v1',
    resources: [{ name: 'namespaces', singularName: 'namespace', namespaced: false, kind: 'Namespace', verbs: ['get', 'list'], shortNames: ['ns'] }],
  },
  '/api/v1/namespaces': { kind: 'NamespaceList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [namespace('default'), namespace('acme')] },
};

export const openCluster = (world) => openGuarded(world, (request, response) => {
  const answer = ANSWERS[new URL(request.url, 'https://cluster').pathname];
  json(response, answer ? 200 : 404, answer ?? status(404, 'NotFound'));
}, { refuse: (response) => json(response, 401, status(401, 'Unauthorized')) });
