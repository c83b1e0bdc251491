// SPDX-License-Identifier: MIT
//
// What the test servers know when they start and after a reset: people, applications, API keys.
// Every value is made up and looks it. Test files import the names from here and repeat none.

// The redirect URI registered for clients that need an exact one; tests that listen for
// themselves register their own through the control port.
export const REDIRECT_URI = 'http://127.0.0.1:8765/callback';

// Tenant a: the secret goes into the body, one grant per application.
export const MACHINE = {
  client_id: 'fixture-a-machine-0000000000000000',
  client_secret: 'not-a-secret-machine-0000000000000',
};
export const DASHBOARD = {
  client_id: 'fixture-a-dashboard-00000000000000',
  client_secret: 'not-a-secret-dashboard-00000000000',
};

// Tenant b: HTTP Basic, or public with PKCE.
export const FIELD_SERVICE = { client_id: 'fixture-b-field-service', client_secret: 'not-a-secret-field-service' };
// Both halves change when they are form-urlencoded before base64 (RFC 6749, 2.3.1).
export const ODD_CREDENTIALS = { client_id: 'fixture b:odd+%', client_secret: 'not:a+secret%/=&?# ~end' };
// Native application: any port of a loopback redirect is accepted (RFC 8252, 7.3).
export const DEVICE_CLI = { client_id: 'fixture-b-device-cli' };

// Tenant b: keys as an administrator would have made them.
export const API_KEY = 'sk_live_fixture_devices_read_0000';
export const API_KEY_REVOKED = 'sk_live_fixture_revoked_000000000';
export const API_KEY_WITHOUT_SCOPE = 'sk_live_fixture_no_scope_00000000';

export const password = (user) => `${user}-password`;

// `permissions` count at tenant a, `scopes` (what the person's role contains) at tenant b.
export const users = () => ({
  operator: {
    password: password('operator'),
    permissions: ['authorize_applications', 'segments', 'interactions'],
    scopes: ['openid', 'offline_access', 'devices:read', 'devices:write'],
  },
  auditor: { // may consent, but may not see segments
    password: password('auditor'),
    permissions: ['authorize_applications'],
    scopes: ['openid', 'offline_access', 'devices:read'],
  },
  guest: { // may not consent; role without any device scope
    password: password('guest'),
    permissions: ['segments'],
    scopes: ['openid', 'offline_access'],
  },
});

const onLocalhost = REDIRECT_URI.replace('127.0.0.1', 'localhost');

export const applications = {
  a: () => [
    { ...MACHINE, name: 'Nightly export', flow: 'client_credentials', scopes: ['read:segments'], run_as: 'operator' },
    {
      ...DASHBOARD, name: 'Segment dashboard', website: 'https://dashboard.example/', flow: 'authorization_code',
      scopes: ['read:segments'], redirect_uris: [REDIRECT_URI, onLocalhost],
    },
  ],
  b: () => [
    {
      ...FIELD_SERVICE, name: 'Field service', auth: 'client_secret_basic',
      scopes: ['openid', 'offline_access', 'devices:read'], redirect_uris: [REDIRECT_URI],
    },
    {
      ...ODD_CREDENTIALS, name: 'Odd credentials', auth: 'client_secret_basic',
      scopes: ['openid', 'offline_access', 'devices:read'], redirect_uris: [REDIRECT_URI],
    },
    {
      ...DEVICE_CLI, name: 'Device CLI', auth: 'none', native: true,
      scopes: ['openid', 'offline_access', 'devices:read', 'devices:write'],
      redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://localhost/callback'],
    },
  ],
};

export const apiKeys = {
  a: () => ({}),
  b: () => ({
    [API_KEY]: { scopes: ['devices:read'], active: true },
    [API_KEY_REVOKED]: { scopes: ['devices:read'], active: false },
    [API_KEY_WITHOUT_SCOPE]: { scopes: [], active: true },
  }),
};
