// Uses a server the way Xen Orchestra does: `node client.mjs URL USER PASSWORD TRANSPORT` prints what it saw as JSON.
import assert from 'node:assert/strict'
import { createClient } from 'xen-api'

const DEADLINE_MS = 60_000

const [url, user, password, transport] = process.argv.slice(2)

setTimeout(() => {
  console.error(`not done within ${DEADLINE_MS} ms`)
  process.exit(3)
}, DEADLINE_MS).unref()

// The client warns of what it could not do and goes on; here that is a failure.
const warnings = []
console.warn = (...args) => warnings.push(args.map(String).join(' '))

const xapi = createClient({ url, auth: { user, password }, allowUnauthorized: true, debounce: 10, transport })

// Resolves once the events have brought an object that `wanted` accepts.
const seen = wanted =>
  new Promise(resolve => {
    const look = () => {
      const object = Object.values(xapi.objects.all).find(wanted)
      if (object !== undefined) {
        xapi.objects.removeListener('add', look)
        xapi.objects.removeListener('update', look)
        resolve(object)
      }
    }
    xapi.objects.on('add', look)
    xapi.objects.on('update', look)
    look()
  })

await xapi.connect()
await xapi.objectsFetched
const objects = Object.values(xapi.objects.all)
const cached = objects.filter(({ $type }) => $type === 'VM').map(({ $ref }) => $ref)
const vms = await xapi.call('VM.get_all')
assert.deepEqual([...cached].sort(), [...vms].sort(), 'the cache of objects has the VMs of VM.get_all')

const created = await xapi.call('network.create', {
  name_label: 'made by xen-api',
  name_description: '',
  MTU: 1500,
  other_config: {},
  tags: [],
})
const added = await seen(({ $ref }) => $ref === created)
assert.equal(added.name_label, 'made by xen-api')
assert.equal(added.$type, 'network')

await xapi.setField('network', created, 'name_label', 'rénamed ☃ 🦊')
const renamed = await seen(({ $ref, name_label }) => $ref === created && name_label === 'rénamed ☃ 🦊')
assert.equal(await xapi.getField('network', created, 'name_label'), renamed.name_label)

await xapi.barrier(created)

const failure = await xapi.getField('VM', created, 'name_label').then(
  () => undefined,
  ({ code, params }) => ({ code, params })
)
await xapi.call('network.destroy', created)
await xapi.barrier()
assert.equal(xapi.getObjectByRef(created, undefined), undefined, 'an event told that the network is gone')

await xapi.disconnect()
console.log(
  JSON.stringify({
    types: [...new Set(objects.map(({ $type }) => $type))].sort(),
    objects: objects.length,
    vms: vms.length,
    name: renamed.name_label,
    failure,
    status: xapi.status,
    warnings,
  })
)
// The long poll for events may still be out.
process.exit(0)
