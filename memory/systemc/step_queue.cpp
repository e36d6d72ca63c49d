#include "memory/systemc/step_queue.hpp"

namespace vernier::memory {

void StepQueue::begin(TileSource& source, bool weight_is_loaded) {
  source_ = &source;
  weight_is_loaded_ = weight_is_loaded;
  exhausted_ = false;
  fetched_ = 0;
  blocks_ = {};
}

QueuedStep* StepQueue::at(std::int64_t number) {
  VERNIER_ASSERT(number >= 0 && number > fetched_ - kLength, "the queue holds all steps in flight");
  while (fetched_ <= number && !exhausted_) {
    QueuedStep& queued = steps_[static_cast<std::size_t>(fetched_ % kLength)];
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
  return &steps_[static_cast<std::size_t>(number % kLength)];
}

}  // namespace vernier::memory
