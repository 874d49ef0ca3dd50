# Renders templates of BOSH jobs as a Director does, many in one process. It reads a JSON list of
#   {"job": DIRECTORY, "properties": {…}, "links": {NAME: {"job": PROVIDER'S DIRECTORY or null, "properties": {…}, "instances": [ADDRESS, …], "address": ADDRESS}}, "spec": {…}}
# on stdin and writes a JSON list of {"files": {PATH: TEXT}, "errors": {PATH: MESSAGE}} on stdout.
require 'erb'
require 'json'
require 'ostruct'
require 'yaml'

class UnknownProperty < StandardError; end

# What templates see of a job's properties, or of a link's.
module Properties
  def p(names, *default)
    Array(names).each do |name|
      value = @properties.dig(*name.split('.'))
      return value unless value.nil?
    end
    raise UnknownProperty, "Can't find property '#{names}'" if default.empty?

    default.first
  end

  def if_p(*names)
    values = names.map { |name| p(name, nil) }
    yield(*values) unless values.any?(&:nil?)
  end
end

class Link
  include Properties
  attr_reader :instances, :address

  def initialize(properties, instances, address)
    @properties = properties
    @instances = instances.map { |each| OpenStruct.new(address: each) }
    @address = address
  end
end

class Context
  include Properties
  attr_reader :spec

  def initialize(properties, links, spec)
    @properties = properties
    @links = links
    @spec = OpenStruct.new(spec)
  end

  def link(name)
    @links.fetch(name) { raise UnknownProperty, "Can't find link '#{name}'" }
  end

  def render(path)
    template = ERB.new(File.read(path, encoding: 'UTF-8'), trim_mode: '-')
    template.filename = path
    template.result(binding)
  end
end

def spec_of(job)
  (@specs ||= {})[job] ||= YAML.safe_load(File.read(File.join(job, 'spec'), encoding: 'UTF-8'))
end

# The properties that a spec names, in its order, with its defaults: no others reach a template.
def known(definitions, given)
  definitions.each_with_object({}) do |(name, definition), properties|
    *sections, key = name.split('.')
    value = name.split('.').inject(given) { |tree, section| tree.is_a?(Hash) ? tree[section] : nil }
    value = Marshal.load(Marshal.dump(definition['default'])) if value.nil?
    sections.inject(properties) { |tree, section| tree[section] ||= {} }[key] = value
  end
end

# A link shows only what its provider says it does.
def link_to(name, described)
  properties = described['properties']
  if described['job']
    spec = spec_of(described['job'])
    shown = spec['provides'].find { |provided| provided['name'] == name }['properties']
    properties = known(spec['properties'].slice(*shown), properties)
  end
  Link.new(properties, described['instances'] || [], described['address'])
end

results = JSON.parse($stdin.read).map do |wanted|
  job = wanted['job']
  spec = spec_of(job)
  links = (wanted['links'] || {}).slice(*(spec['consumes'] || []).map { |consumed| consumed['name'] })
  result = { files: {}, errors: {} }
  spec['templates'].each do |source, target|
    context = Context.new(known(spec['properties'] || {}, wanted['properties']), links.to_h { |name, described| [name, link_to(name, described)] }, wanted['spec'])
    result[:files][target] = context.render(File.join(job, 'templates', source))
  rescue StandardError, ScriptError => e
    result[:errors][target] = e.message
  end
  result
end
puts JSON.generate(results)
