// Named factories that are passed around, never global: each folder fills a registry in one
// explicit function, a test makes its own.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"

namespace vernier {

/// Maps a name to something that makes a component, and to its description.
/// `Factory` is the callable type, for example std::unique_ptr<X>(const YamlNode&).
template <typename Factory>
class Registry {
 public:
  /// `kind` names what is registered, for messages ("MAC unit family").
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  /// Adds an entry; a name that exists already is a bug.
  void add(ComponentDescription description, std::function<Factory> factory) {
    const std::string name = description.name;
    VERNIER_ASSERT(!entries_.contains(name), "a component name that is used once");
    entries_.emplace(name, Entry{std::move(description), std::move(factory)});
  }

  [[nodiscard]] bool contains(std::string_view name) const {
    return entries_.find(std::string(name)) != entries_.end();
  }

  /// The factory of `name`; throws ConfigError with the nearest name otherwise.
  [[nodiscard]] const std::function<Factory>& find(std::string_view name) const {
    const auto entry = entries_.find(std::string(name));
    if (entry == entries_.end()) {
      throw ConfigError(fmt::format("unknown {} '{}'; allowed are {}{}", kind_, shown(name),
                                    name_list(names()), suggestion(name, names())));
    }
    return entry->second.factory;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    result.reserve(entries_.size());
    for (const auto& [name, entry] : entries_) result.push_back(name);
    return result;
  }

  /// Descriptions of all entries, by name.
  [[nodiscard]] std::vector<ComponentDescription> describe() const {
    std::vector<ComponentDescription> result;
    result.reserve(entries_.size());
    for (const auto& [name, entry] : entries_) result.push_back(entry.description);
    return result;
  }

 private:
  struct Entry {
    ComponentDescription description;
    std::function<Factory> factory;
  };
  std::string kind_;
  std::map<std::string, Entry> entries_;
};

}  // namespace vernier
