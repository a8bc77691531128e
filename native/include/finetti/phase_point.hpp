// Points of a trajectory, kept in a pool and shared by reference count.
//
// A trajectory tree holds few points at once: two ends and one draw per subtree on the recursion's path. They are
// handed around by reference; nothing is copied and nothing is allocated while sampling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "finetti/vectors.hpp"

namespace finetti {

struct PhasePoint {
    double* x;  // position
    double* p;  // momentum
    double* g;  // gradient of the log density at x
    double logp = 0.0;
    double energy = 0.0;       // Hamiltonian, -logp + p' diag(v) p / 2
    std::int64_t index = 0;    // leapfrog steps from the start of the trajectory, signed
    std::uint32_t users = 0;
};

class PhasePool;

/// Shared ownership of a pool's point.
class PointRef {
public:
    PointRef() noexcept = default;
    PointRef(const PointRef& other) noexcept : pool_(other.pool_), point_(other.point_) {
        if (point_ != nullptr) ++point_->users;
    }
    PointRef(PointRef&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), point_(std::exchange(other.point_, nullptr)) {}
    PointRef& operator=(PointRef other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(point_, other.point_);
        return *this;
    }
    ~PointRef();

    PhasePoint* operator->() const noexcept { return point_; }
    PhasePoint& operator*() const noexcept { return *point_; }
    [[nodiscard]] detail::Ends ends() const noexcept { return {point_->x, point_->p}; }

private:
    friend class PhasePool;
    PointRef(PhasePool* pool, PhasePoint* point) noexcept : pool_(pool), point_(point) { ++point_->users; }

    PhasePool* pool_ = nullptr;
    PhasePoint* point_ = nullptr;
};

class PhasePool {
public:
    /// vectors: of each point; x, p, g and whatever a metric keeps after them.
    PhasePool(std::size_t points, std::size_t dimension, std::size_t vectors = 3)
        : arena_(vectors * points, dimension), points_(points) {
        free_.reserve(points);
        for (std::size_t i = points; i-- > 0;) {
            points_[i].x = arena_.vector(vectors * i);
            points_[i].p = arena_.vector(vectors * i + 1);
            points_[i].g = arena_.vector(vectors * i + 2);
            free_.push_back(&points_[i]);
        }
    }

    /// The most points alive at once: three per level of the tree, and a dozen for the start, the draw, the new leaf,
    /// and the divergent steps of this transition and the last.
    static constexpr std::size_t points_for_depth(std::size_t depth) noexcept { return 3 * depth + 12; }

    /// A point with unspecified contents; the most recently released one, which is warm in the cache.
    PointRef take() noexcept {
        PhasePoint* point = free_.back();
        free_.pop_back();
        return {this, point};
    }

    [[nodiscard]] std::size_t available() const noexcept { return free_.size(); }

private:
    friend class PointRef;
    void release(PhasePoint* point) noexcept { free_.push_back(point); }

    Arena arena_;
    std::vector<PhasePoint> points_;
    std::vector<PhasePoint*> free_;
};

inline PointRef::~PointRef() {
    if (point_ != nullptr && --point_->users == 0) pool_->release(point_);
}

}  // namespace finetti
