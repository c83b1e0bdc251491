// SPDX-License-Identifier: MIT
// sbom.mjs FILE: does a bill of materials keep the rules of SPDX 2.3 (its JSON form)? As far as ours uses them. Names what does not.
import fs from 'node:fs';

const document = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const wrong = [];
const want = (holds, what) => holds || wrong.push(what);

// SPDX's own lists, as far as they are used here.
const PURPOSES = ['APPLICATION', 'LIBRARY', 'SOURCE'];
const RELATIONS = { DESCRIBES: ['SPDXRef-DOCUMENT', null], DYNAMIC_LINK: [null, null] };
const LICENCES = ['MIT', 'LGPL-2.1-or-later', 'LGPL-3.0-or-later', 'GPL-2.0-or-later', 'curl', 'ISC'];

function known(object, keys, where) {
  for (const key of Object.keys(object)) want(keys.includes(key), `${where} has no ${key}`);
}

function licence(text, where) {
  const names = String(text).split(/ (?:OR|AND) /);
  want(text === 'NOASSERTION' || text === 'NONE' || names.every((name) => LICENCES.includes(name)), `${where}: no licence ${text}`);
}

const actor = /^(?:(?:Person|Organization): .+|NOASSERTION)$/;
const address = (text) => ['NOASSERTION', 'NONE'].includes(text) || URL.canParse?.(text) !== false;

known(document, ['spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo', 'packages', 'relationships'], 'a document');
want(document.spdxVersion === 'SPDX-2.3', 'spdxVersion');
want(document.dataLicense === 'CC0-1.0', 'dataLicense');
want(document.SPDXID === 'SPDXRef-DOCUMENT', 'the SPDXID of the document');
want(typeof document.name === 'string' && document.name !== '', 'name');
want(/^[a-z][a-z0-9+.-]*:[^#\s]+$/.test(document.documentNamespace), 'documentNamespace is no absolute URI without a fragment');
want(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(document.creationInfo.created), 'created');
want(document.creationInfo.creators.length > 0 && document.creationInfo.creators.every((text) => /^(?:Person|Organization|Tool): .+$/.test(text)), 'creators');

const ids = new Set([document.SPDXID]);
for (const each of document.packages) {
  const where = each.SPDXID;
  known(each, ['SPDXID', 'name', 'versionInfo', 'supplier', 'packageFileName', 'primaryPackagePurpose', 'downloadLocation', 'filesAnalyzed', 'checksums',
    'licenseConcluded', 'licenseDeclared', 'copyrightText', 'externalRefs'], where);
  want(/^SPDXRef-[A-Za-z0-9.-]+$/.test(each.SPDXID), `${where} is no id`);
  want(!ids.has(each.SPDXID), `${where} is there twice`);
  ids.add(each.SPDXID);
  want(typeof each.name === 'string' && each.name !== '', `${where}: name`);
  want(address(each.downloadLocation), `${where}: downloadLocation`);
  want(each.supplier === undefined || actor.test(each.supplier), `${where}: supplier`);
  want(PURPOSES.includes(each.primaryPackagePurpose), `${where}: primaryPackagePurpose`);
  want(each.filesAnalyzed === false, `${where}: files that were analyzed need packageVerificationCode`);
  want(typeof each.copyrightText === 'string', `${where}: copyrightText`);
  licence(each.licenseConcluded, where);
  licence(each.licenseDeclared, where);
  for (const sum of each.checksums ?? []) want(sum.algorithm === 'SHA256' && /^[0-9a-f]{64}$/.test(sum.checksumValue), `${where}: checksum`);
  for (const ref of each.externalRefs ?? [])
    want(ref.referenceCategory === 'PACKAGE-MANAGER' && ref.referenceType === 'purl' && /^pkg:[a-z]+\/[^\s@]+@[^\s]+$/.test(ref.referenceLocator), `${where}: purl`);
}

want(document.relationships.some((each) => each.relationshipType === 'DESCRIBES'), 'the document describes nothing');
for (const { spdxElementId, relationshipType, relatedSpdxElement, ...rest } of document.relationships) {
  known(rest, ['comment'], 'a relationship');
  want(relationshipType in RELATIONS, `no relationship ${relationshipType}`);
  want(ids.has(spdxElementId) && ids.has(relatedSpdxElement), `${spdxElementId} or ${relatedSpdxElement} is nowhere`);
  want([null, spdxElementId].includes(RELATIONS[relationshipType]?.[0] ?? null), `${relationshipType} comes from the document`);
}

for (const what of wrong) console.log(what);
process.exitCode = wrong.length > 0 ? 1 : 0;
