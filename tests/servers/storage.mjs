// SPDX-License-Identifier: MIT
//
// Where oidc-provider keeps its objects: maps in the tenant, without the bundled adapter's limit
// of a thousand entries. Applications are not stored but asked of the tenant each time, so that a
// switch or a new secret counts at once.

const KEPT_AFTER_EXPIRY_MS = 3600 * 1000; // an expired token stays recognisable as such

export const storageFor = (tenant) => class Storage {
  constructor(model) {
    this.model = model;
  }

  get entries() {
    if (!tenant.models.has(this.model)) tenant.models.set(this.model, new Map());
    return tenant.models.get(this.model);
  }

  async find(id) {
    if (this.model === 'Client') return tenant.clientMetadata(id);
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    if (entry.until <= Date.now()) {
      this.entries.delete(id);
      return undefined;
    }
    // Within the grace period a used refresh token passes for a fresh one.
    const grace = tenant.rotation.grace * 1000;
    if (this.model === 'RefreshToken' && entry.usedAt + grace > Date.now()) return { ...entry.payload, consumed: undefined };
    return entry.payload;
  }

  async findByUid(uid) {
    return this.#findBy('uid', uid);
  }

  async findByUserCode(userCode) {
    return this.#findBy('userCode', userCode);
  }

  #findBy(key, value) {
    for (const { payload, until } of this.entries.values()) {
      if (payload[key] === value && until > Date.now()) return payload;
    }
    return undefined;
  }

  async upsert(id, payload, expiresIn) {
    const until = typeof expiresIn === 'number' ? Date.now() + expiresIn * 1000 + KEPT_AFTER_EXPIRY_MS : Infinity;
    this.entries.set(id, { payload, until });
  }

  async consume(id) {
    const entry = this.entries.get(id);
    if (!entry) return;
    entry.usedAt = Date.now();
    entry.payload.consumed = Math.floor(entry.usedAt / 1000);
  }

  async destroy(id) {
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, { payload }] of this.entries) {
      if (payload.grantId === grantId) this.entries.delete(id);
    }
  }
};
