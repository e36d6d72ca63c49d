#include "memory/systemc/step_queue.hpp"

#include <utility>

namespace vernier::memory {

void StepQueue::begin(TileSource& source, bool weight_is_loaded) {
  source_ = &source;
  weight_is_loaded_ = weight_is_loaded;
  exhausted_ = false;
  first_ = fetched_ = 0;
  blocks_ = {};
}

// Twice as many places when all are taken.
void StepQueue::make_room() {
  if (fetched_ - first_ < static_cast<std::int64_t>(steps_.size())) return;
  std::vector<QueuedStep> more(2 * steps_.size());
  for (std::int64_t number = first_; number < fetched_; ++number) {
    more[static_cast<std::size_t>(number) % more.size()] = slot(number);
  }
  steps_ = std::move(more);
}

QueuedStep* StepQueue::at(std::int64_t number) {
  VERNIER_ASSERT(number >= first_, "the queue holds all steps in flight");
  while (fetched_ <= number && !exhausted_) {
    make_room();
    QueuedStep& queued = slot(fetched_);
    queued.needed = {};
    queued.met = {};
    if (!source_->next(queued.step)) {
      exhausted_ = true;
      break;
    }
    for (std::size_t stream = 0; stream < kBlockStreams; ++stream) {
      if (queued.step.changes[stream]) ++blocks_[stream];
      queued.block[stream] = blocks_[stream] - 1;
    }
    constexpr auto kWeight = static_cast<std::size_t>(BlockStream::kWeight);
    for (std::size_t stream = 0; stream < kLoadStreams; ++stream) {
      const bool is_there = fetched_ == 0 && stream == kWeight && weight_is_loaded_;
      queued.needed[stream] =
          queued.step.changes[stream] && queued.step.loads[stream].bits > 0 && !is_there;
    }
    const bool new_output = queued.step.changes[static_cast<std::size_t>(BlockStream::kOutput)];
    queued.needed[static_cast<std::size_t>(Requirement::kSums)] =
        new_output && queued.step.reload.bits > 0;
    ++fetched_;
  }
  if (number >= fetched_) return nullptr;
  return &slot(number);
}

}  // namespace vernier::memory
